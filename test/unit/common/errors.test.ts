import { status } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { toSwarmError } from '../../../src/common/errors.ts';

it('a call that reached nobody is told without the empty note of gRPC', () => {
  const details = 'No connection established. Last error: connect ECONNREFUSED 127.0.0.1:1. Resolution note: ';
  const error = toSwarmError(Object.assign(new Error('x'), { code: status.UNAVAILABLE, details }));
  expect([error.code, error.message]).toEqual([
    'unavailable',
    'No connection established. Last error: connect ECONNREFUSED 127.0.0.1:1',
  ]);
});
