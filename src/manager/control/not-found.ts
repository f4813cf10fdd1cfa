/** The one way of saying that something does not exist. */
import { SwarmError } from '../../common/errors.ts';

export const notFound = (noun: string, id: string): SwarmError => new SwarmError('notFound', `${noun} ${id} not found`);
