/**
 * The event loop is one for all of a process. When thousands of agents have something to say, reading it is a single turn of a tenth of
 * a second and more, at whose end everybody else is heard. Who should not wait for that says so here.
 */

/** How often they are heard within a turn, in ms. */
const EVERY_MS = 50;

const impatient = new Set<() => void>();
let heard = 0;

/** @param hear takes what has come in the meantime; called within others' turns. Returns how to end it. */
export function hearInLongTurns(hear: () => void): () => void {
  impatient.add(hear);
  return () => void impatient.delete(hear);
}

/** Called before each of many things that are done in one turn: lets the impatient in when it is time. */
export function breakLongTurn(): void {
  const now = performance.now();
  if (now - heard < EVERY_MS) return;
  heard = now;
  for (const hear of impatient) hear();
}

/** Resolves in the next turn, or when the impatient are heard in a long one: what else is to be done has had its time until then. */
export function turnOrBreak(): Promise<void> {
  return new Promise((resolve) => {
    const goOn = (): void => {
      clearImmediate(next);
      stopHearing();
      resolve();
    };
    const stopHearing = hearInLongTurns(goOn);
    const next = setImmediate(goOn);
  });
}
