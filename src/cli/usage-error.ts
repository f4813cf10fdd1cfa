import { SwarmError } from '../common/errors.ts';

/** The command line itself is wrong: nothing was tried. swarmctl exits with 2. */
export class UsageError extends SwarmError {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super('invalidArgument', message, options);
  }
}
