/**
 * `--watch`: a list that follows the swarm. On a terminal the list is drawn anew after each change; elsewhere every row
 * that is new, changed or gone is printed as a line.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { errorText, isSwarmError } from '../../common/errors.ts';
import { Wake } from '../../common/wake.ts';
import type { CommandContext } from '../context.ts';
import { interrupted } from '../interrupted.ts';
import { listText, type Listing } from '../output.ts';
import { followChanges, type WatchedKind } from './change-feed.ts';
import { rowChanges } from './row-changes.ts';

/** Changes closer together than this are shown as one. */
const REDRAW_MS = 100;
const RETRY_MS = 1_000;
const CLEAR = '\u001b[H\u001b[2J';

export interface WatchedListing<T> {
  readonly kinds: readonly WatchedKind[];
  /** What is shown changes by itself: it is loaded this often at least, in ms. */
  readonly everyMs?: number;
  readonly load: () => Promise<Listing<T>>;
}

/** Shows a list once, or with --watch until interrupted. */
export async function showListing<T>(
  context: CommandContext,
  isWatched: boolean,
  listing: WatchedListing<T>,
): Promise<void> {
  const { terminal, output } = context;
  if (!isWatched) return terminal.out(listText(await listing.load(), output, terminal.hasColours));
  await watchListing(context, listing, interrupted());
}

/** Follows until the signal aborts. Throws when the server cannot be reached at first. */
export async function watchListing<T>(
  { client, terminal, output }: CommandContext,
  { kinds, everyMs, load }: WatchedListing<T>,
  signal: AbortSignal,
): Promise<void> {
  const wake = new Wake();
  signal.addEventListener('abort', wake.set, { once: true });
  const show = terminal.screenLines === undefined ? changePrinter() : drawScreen;
  let failure: unknown;
  let lastBreak = '';
  const feed = followChanges(client, {
    kinds,
    signal,
    onChange: wake.set,
    onBreak: (why) => {
      if (why !== lastBreak) terminal.err(`swarmctl: the watch broke (${why}), trying again\n`);
      lastBreak = why;
    },
  }).catch((error: unknown) => {
    failure = error;
    wake.set();
  });
  const ticking = everyMs === undefined ? undefined : setInterval(wake.set, everyMs);
  signal.addEventListener('abort', () => clearInterval(ticking), { once: true });
  for (;;) {
    await wake.wait();
    if (failure) throw failure;
    if (signal.aborted) break;
    try {
      show(await load());
    } catch (error) {
      if (!isSwarmError(error, 'unavailable') && !isSwarmError(error, 'deadlineExceeded')) throw error;
      terminal.err(`swarmctl: ${errorText(error)}; trying again\n`);
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
      wake.set();
    }
    await sleep(REDRAW_MS, undefined, { signal }).catch(() => undefined);
  }
  await feed;

  function drawScreen(listing: Listing<T>): void {
    const lines = listText(listing, output, terminal.hasColours).split('\n').slice(0, -1);
    const room = Math.max(2, (terminal.screenLines ?? 24) - 1);
    const shown = lines.length <= room ? lines : [...lines.slice(0, room - 1), `… ${lines.length - room + 1} more`];
    terminal.out(`${CLEAR}${shown.join('\n')}\n`);
  }

  /** Remembers what it printed last. */
  function changePrinter(): (listing: Listing<T>) => void {
    let before: ReadonlyMap<string, string> = new Map();
    return (listing) => {
      const items = new Map(listing.items.map((item) => [listing.id(item), item]));
      const rows = listing.items.map((item) => ({ id: listing.id(item), text: rowText(listing, item) }));
      for (const { action, id, text } of rowChanges(before, rows)) {
        if (output.output === 'json') terminal.out(`${JSON.stringify({ action, id, object: items.get(id) })}\n`);
        else terminal.out(`${action.padEnd(8)} ${text}\n`);
      }
      before = new Map(rows.map((row) => [row.id, row.text]));
    };
  }

  /** One row on one line: as --format or --quiet say, else its cells; JSON rows count as changed when the object is. */
  function rowText(listing: Listing<T>, item: T): string {
    if (output.output === 'json') return JSON.stringify(item);
    const isPlain = output.format === undefined && !output.quiet && output.output !== 'name';
    if (isPlain)
      return listing.columns
        .map((c) => (c.isClock ? '' : c.value(item)))
        .filter((t) => t !== '')
        .join('  ');
    return listText(
      { ...listing, items: [item] },
      { ...output, format: output.format?.replace(/^table /, '') },
      false,
    ).trimEnd();
  }
}
