/** What happens when nobody reads any more what a program writes, as with `| head`. Node would end it with a stack trace. */

/** As a shell reports a program that SIGPIPE ended: 128 and the number of the signal. */
const ENDED_BY_SIGPIPE = 141;

/** The reader of a pipe has gone, or the terminal was closed. */
const GONE = ['EPIPE', 'EIO'];

/** A command has done its work when nobody wants more of it. */
export const endWithoutReader = (): void => onBrokenPipe(() => process.exit(ENDED_BY_SIGPIPE));

/** A daemon goes on. */
export const goOnWithoutReader = (): void => onBrokenPipe(() => undefined);

function onBrokenPipe(act: () => void): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (!GONE.includes(error.code ?? '')) throw error;
      act();
    });
}
