/**
 * Takes out of an output what differs between any two runs: ids, names of hosts, times, addresses, ports and tokens that
 * somebody chose, and the chatter of progress bars. What stays must be equal. Addresses in 10.77.0.0/16 and ports below
 * 30000 stay: scenarios choose them themselves.
 */

/** equal; equal but for the words of errors; different; nothing to compare with; what it would be compared with is no answer */
export type Verdict = 'pass' | 'loose' | 'fail' | 'noref' | 'unusable';

/** What a run calls its own. */
export interface OwnNames {
  /** Id of the node under test. */
  readonly nodeId: string;
  /** Host name → what stands for it. */
  readonly hosts: ReadonlyMap<string, string>;
}

export function compare(reference: string | undefined, actual: string): Verdict {
  if (reference === undefined) return 'noref';
  if (!isUsable(reference)) return 'unusable';
  if (reference === actual) return 'pass';
  return withoutWording(reference) === withoutWording(actual) ? 'loose' : 'fail';
}

/** Whether everything inside did what it was meant to: else the scenario is wrong, and equal outputs would say nothing. */
export function isUsable(output: string): boolean {
  return !/^(TIMEOUT:|SETUP FAILED|!! scenario timed out)/m.test(output);
}

// oxlint-disable-next-line no-control-regex -- terminals are steered by control characters
const TERMINAL_CODES = /\x1b\[[0-9;?]*[A-Za-z]|\r/g;
/** The client warns that it could not ask a registry. */
const REGISTRY_WARNING =
  /^image \S+ could not be accessed on a registry to record\nits digest\. Each node will access \S+ independently,\npossibly leading to different nodes running different\nversions of the image\.\n\n?/gm;
const PROGRESS =
  /^(overall progress:|verify: (Waiting|Detected) |\d+\/\d+: |job progress:|active tasks:|job complete$|job \S+ complete|[a-z0-9]{12,25}: |(rollback|service rolled back): ?$|Since --detach)/;
/** Pattern → what stands for it, in this order. */
const CHANGING: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?[+-]\d{4} UTC| ?\+0000 utc|Z| [A-Z]{3})?/gi, '<TIME>'],
  [/(Less than a second|About a (minute|second)|About an hour|\d+ (second|minute|hour|day|week)s?)( ago)/g, '<AGO>'],
  [/\b(Up|completed|in progress) (Less than a second|About a minute|\d+ seconds?)/g, '$1 <DUR>'],
  [/"Index": \d+/g, '"Index": <N>'],
  [/\b(?!10\.77\.)(10|172|192)\.\d+\.\d+\.\d+(\/\d+)?/g, '<IP>'],
  [/\*:3\d{4}(?=->)/g, '*:<DYN>'],
  [/("PublishedPort": ?)3\d{4}\b/g, '$1<DYN>'],
];

export function normalise(output: string, own: OwnNames): string {
  const withoutChatter = output
    .replace(TERMINAL_CODES, '')
    .replace(REGISTRY_WARNING, '')
    .split('\n')
    .filter((line) => !PROGRESS.test(line))
    .join('\n');
  let text = withNumberedIds(withoutChatter, own.nodeId);
  for (const [pattern, standIn] of CHANGING) text = text.replace(pattern, standIn);
  for (const [host, standIn] of own.hosts) text = text.replace(asWord(host), standIn);
  const lines = text.split('\n').map((line) => line.replace(/[ \t]{2,}/g, '  ').trimEnd());
  return `${lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`;
}

/** Ids become `<ID1>`, `<ID2>`, … in the order in which they first appear, whole or shortened to twelve characters. */
function withNumberedIds(text: string, nodeId: string): string {
  const known = new Map([[shortened(nodeId), '<NODE>']]);
  const numbered = (id: string): string => {
    const key = shortened(id);
    // The node under test counts, so the first other id is <ID2>.
    if (!known.has(key)) known.set(key, `<ID${known.size + 1}>`);
    return known.get(key) ?? id;
  };
  return text
    .replace(/sha256:[0-9a-f]{64}/g, '<DIGEST>')
    .replace(/\b[0-9a-f]{64}\b/g, '<HEX64>')
    .replace(/SWMTKN-1-[0-9a-z]+-[0-9a-z]+/g, '<TOKEN>')
    .replace(/SWMKEY-1-\S+/g, '<UNLOCKKEY>')
    .replace(/\b[0-9a-z]{25}\b/g, (word) => (/\d/.test(word) ? numbered(word) : word))
    .replace(/\b[0-9a-z]{12}\b/g, (word) =>
      (/\d/.test(word) && /[a-z]/.test(word)) || known.has(word) ? numbered(word) : word,
    );
}

const shortened = (id: string): string => id.slice(0, 12);

const asWord = (text: string): RegExp =>
  new RegExp(`(?<![\\w.-])${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w.-])`, 'g');

/** That there was an error stays, what it says goes. */
const withoutWording = (output: string): string =>
  output
    .replace(/^.*Error response from daemon:.*$/gm, '<DAEMON ERROR>')
    .replace(/^(Error: )?no such .*$/gim, '<DAEMON ERROR>')
    .replace(
      /(starting container failed|task: non-zero exit|no suitable node|No such image|invalid mount config)[^|\n]*/g,
      '$1…',
    );
