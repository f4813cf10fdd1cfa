/** How many lines back, as the log protocol counts it: 0 is all, and −n−1 the last n. */

/** @param lines the last so many lines of each task; undefined for all */
export const encodeTail = (lines: number | undefined): number => (lines === undefined ? 0 : -lines - 1);
