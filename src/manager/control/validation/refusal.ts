/** The commonest refusal, short to write: the request itself is wrong. */
import { SwarmError } from '../../../common/errors.ts';

/** Refuses a request that can never succeed as it stands. */
export const invalid = (text: string): SwarmError => new SwarmError('invalidArgument', text);

/** Refuses a request that the present state of an object forbids. */
export const refused = (text: string): SwarmError => new SwarmError('failedPrecondition', text);
