import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPERATIONS } from '../../../src/api/openapi/operations.ts';
import { apiRig, type ApiRig, type Json } from '../../support/api-rig.ts';

let rig: ApiRig;
let paths: Readonly<Record<string, Json>>;
beforeAll(async () => {
  rig = await apiRig();
  paths = (await rig.call('GET', '/openapi.json')).json['paths'] as unknown as typeof paths;
});
afterAll(() => rig.close());

/** Below these the container engine answers, or what stands in for it. */
const CONTAINER_HALF =
  /^\/(auth|build|commit|containers|distribution|exec|images|plugins|session|system\/df|volumes)\b/;

describe('the OpenAPI document', () => {
  it('describes every route of our own, and no other', () => {
    const served = Object.entries(paths)
      .filter(([path]) => !CONTAINER_HALF.test(path))
      .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`));
    const described = Object.keys(OPERATIONS).map((key) => key.replaceAll(/:(\w+)/g, '{$1}'));
    expect(served.toSorted()).toEqual(described.toSorted());
  });

  it('describes bodies as their decoders read them', () => {
    const schema = paths['/services/create']?.['post']?.['requestBody']?.['content']?.['application/json']?.['schema'];
    const container = schema?.['properties']?.['TaskTemplate']?.['properties']?.['ContainerSpec'];
    expect(container?.['properties']?.['Env']).toEqual({ type: 'array', items: { type: 'string' } });
    expect(schema?.['properties']?.['Mode']?.['properties']?.['Replicated']?.['properties']?.['Replicas']).toEqual({
      type: 'integer',
      format: 'uint64',
      minimum: 0,
    });
  });

  it('names the parts of paths and the parameters of queries', () => {
    const update = paths['/services/{id}/update']?.['post']?.['parameters'] as unknown as readonly {
      readonly name: string;
      readonly in: string;
      readonly required: boolean;
    }[];
    expect(update.map(({ name, in: place, required }) => [name, place, required])).toEqual([
      ['id', 'path', true],
      ['version', 'query', true],
      ['registryAuthFrom', 'query', false],
      ['rollback', 'query', false],
    ]);
  });
});
