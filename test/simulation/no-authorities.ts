import { SwarmError } from '../../src/common/errors.ts';
import type { ExternalAuthorities } from '../../src/manager/ca/external-authority.ts';

const none = (): Promise<never> => Promise.reject(new SwarmError('unavailable', 'there is no external authority'));

/** Nobody signs outside of the cluster. */
export const noAuthorities: ExternalAuthorities = { signNode: none, crossSign: none, reach: none };
