/** How each node does for a task: the table of `service explain` and of plans. */

export interface NodeAnswer {
  readonly hostname: string;
  readonly fits: boolean;
  readonly refusals: readonly { readonly filter: string; readonly reason: string }[];
  readonly score?: number;
}

export const nodeColumns = [
  { header: 'NODE', value: (n: NodeAnswer) => n.hostname },
  { header: 'FITS', value: (n: NodeAnswer) => (n.fits ? 'yes' : 'no') },
  { header: 'SCORE', value: (n: NodeAnswer) => (n.score === undefined ? '' : String(Math.round(n.score * 100) / 100)) },
  { header: 'WHY NOT', value: (n: NodeAnswer) => n.refusals.map((r) => `${r.filter}: ${r.reason}`).join('; ') },
];

export const indented = (text: string): string => text.replace(/^(?=.)/gm, '  ');
