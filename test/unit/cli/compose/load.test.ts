import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadCompose } from '../../../../src/cli/compose/load.ts';
import { startOrder } from '../../../../src/cli/compose/start-order.ts';
import { words } from '../../../../src/cli/words.ts';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'compose-'))));
afterAll(() => rmSync(folder, { recursive: true }));

function load(text: string, environment: Readonly<Record<string, string>> = {}) {
  const file = join(folder, 'compose.yaml');
  writeFileSync(file, text);
  const warnings: string[] = [];
  const compose = loadCompose([file], { variables: (name) => environment[name], warn: (line) => warnings.push(line) });
  return { compose, warnings, services: compose.services ?? {} };
}

const complaint = (text: string, environment?: Readonly<Record<string, string>>): string => {
  try {
    load(text, environment);
  } catch (error) {
    return (error as Error).message.replace(`${folder}/`, '');
  }
  return 'nothing is wrong';
};

const web = (...lines: readonly string[]): string =>
  ['services:', '  web:', '    image: nginx', ...lines.map((line) => `    ${line}`)].join('\n');

describe('variables', () => {
  const image = (text: string, environment: Readonly<Record<string, string>> = {}): string | undefined =>
    load(`services: { web: { image: '${text}' } }`, environment).services['web']?.image;

  it.each([
    ['a:$TAG', 'a:1'],
    ['a:${TAG}', 'a:1'],
    ['a:${TAG}b', 'a:1b'],
    ['a:${NONE:-x}', 'a:x'],
    ['a:${EMPTY:-x}', 'a:x'],
    ['a:${EMPTY-x}', 'a:'],
    ['a:${NONE:-${TAG}}', 'a:1'],
    ['a:${NONE:-b:${NONE:-c}}d', 'a:b:cd'],
    ['a:${TAG:+set}', 'a:set'],
    ['a:${NONE:+set}', 'a:'],
    ['a:${TAG:?needed}', 'a:1'],
    ['a$$b', 'a$b'],
  ])('in %s', (text, filled) => {
    expect(image(text, { TAG: '1', EMPTY: '' })).toBe(filled);
  });

  it('that are missing are told of, or stop everything when the file says so', () => {
    expect(load(web('user: $WHO')).warnings).toEqual([expect.stringContaining('the variable WHO is not set')]);
    expect(complaint(web('user: ${WHO:?name the user}'))).toBe(
      'compose.yaml:4: services.web.user: the variable WHO is not set: name the user; set WHO in the environment',
    );
    expect(complaint(web('user: "${WHO"'))).toContain('holds a variable that cannot be read; write ${NAME}');
  });

  it('take the place of numbers too', () => {
    expect(load(web('deploy: { replicas: "$N" }'), { N: '7' }).services['web']?.deploy?.replicas).toBe(7);
  });
});

it('numbers too large to be held exactly keep their digits', () => {
  const { services } = load(
    web('environment: { GUILD: 123456789012345678, SMALL: 1234567890123456, BELOW: -9007199254740993 }'),
  );
  expect(services['web']?.environment).toEqual({
    GUILD: '123456789012345678',
    SMALL: '1234567890123456',
    BELOW: '-9007199254740993',
  });
  expect(complaint(web('deploy: { replicas: 123456789012345678 }'))).toContain('is not a whole number');
});

describe('what is wrong', () => {
  it.each([
    [['imege: x'], 'compose.yaml:4: services.web.imege: is not known; did you mean image?'],
    [['deploy: { replicas: many }'], 'compose.yaml:4: services.web.deploy.replicas: "many" is not a whole number'],
    [
      ['deploy:', '  mode: single'],
      'compose.yaml:5: services.web.deploy.mode: "single" is not known; use replicated, global, replicated-job, global-job',
    ],
    [['ports: ["99999:80"]'], 'services.web.ports[0]: "99999:80" is out of range'],
    [['ports: ["web"]'], 'services.web.ports[0]: "web" is not a port; write 8080:80'],
    [['volumes: ["a:b:c:d"]'], 'services.web.volumes[0]: "a:b:c:d" is not a volume'],
    [['command: "echo \'"'], 'a quote is not closed'],
    [['healthcheck: { interval: 5 }'], 'services.web.healthcheck.interval: "5" is not a duration'],
    [['mem_limit: 64m'], 'services.web.mem_limit: is not supported; use deploy.resources.limits.memory'],
    [['platform: linux/arm64'], 'services.web.platform: is not supported; use deploy.placement.constraints'],
    [['networks: { default: { priority: 5 } }'], 'services.web.networks.default.priority: is not supported'],
    [['deploy: { resources: { reservations: { devices: [] } } }'], 'devices: is not supported; use generic_resources'],
    [['ports: [{ target: 80, host_ip: 127.0.0.1 }]'], 'host_ip: is not supported; leave it out'],
    [['volumes: ["/a:/b:nocopy"]'], 'services.web.volumes[0]: a bind has no volume options; leave them out'],
    [['restart: sometimes'], 'use no, always, unless-stopped or on-failure[:times]'],
    [['env_file: gone.env'], 'services.web.env_file: cannot be read'],
    [['secrets: [{ target: x }]'], 'services.web.secrets[0]: has no source; name what to give with source: NAME'],
    [['depends_on: { db: { condition: ready } }'], '"ready" is not known; use service_started, service_healthy'],
  ])('%j is told with its place and what to do', (lines, text) => {
    expect(complaint(web(...lines))).toContain(text);
  });

  it('in YAML itself is told too', () => {
    expect(complaint('services:\n  web: [')).toContain('compose.yaml: is not YAML');
    expect(complaint('just a text')).toContain('holds no services');
  });

  it.each([
    ['name: shop', 'compose.yaml:1: name: is not supported; leave it out'],
    ['version: "2.4"', 'compose.yaml:1: version: "2.4" cannot be deployed; write "3.8", or leave it out'],
    ['secrets: { a: { content: x } }', 'compose.yaml:1: secrets.a.content: is not supported; put it into a file'],
    [
      'volumes: { a: { external: true, driver: x } }',
      'compose.yaml:1: volumes.a.driver: is settled already for what is',
    ],
    ['networks: { a: { name: x, external: { name: y } } }', 'compose.yaml:1: networks.a.external: names it a second'],
  ])('beside services is told too: %s', (line, text) => {
    expect(complaint(`${line}\n${web()}`)).toContain(text);
  });
});

describe('what is left out, as the docker CLI does it, is told with what to do instead', () => {
  it.each([
    ['build: .', 'services.web.build: is left out; images are not built when a stack is deployed: build and push'],
    ['privileged: true', 'services.web.privileged: is left out; use cap_add'],
    ['container_name: web', 'services.web.container_name: is left out; tasks get their names from the service'],
    ['networks: { default: { ipv4_address: 10.0.0.5 } }', 'services.web.networks.default.ipv4_address: is left out'],
    ['volumes: ["/a:/b:strange"]', 'services.web.volumes[0]: the option "strange" is not known and left out; use ro'],
    ['volumes: [{ type: bind, source: /a, target: /b, bind: { selinux: z } }]', 'bind.selinux: is left out; label'],
    ['secrets: [{ source: a, sorce: b }]', 'services.web.secrets[0].sorce: is left out; did you mean source?'],
    ['ports: ["127.0.0.1:80:80"]', 'the address of "127.0.0.1:80:80" is left out; a swarm publishes ports on all'],
  ])('%s', (line, text) => {
    const { warnings, services } = load(web(line, 'x-mine: 1'));
    expect(warnings).toEqual([expect.stringContaining(text)]);
    expect(warnings[0]).toContain('compose.yaml:4: ');
    expect(services['web']?.image).toBe('nginx');
  });

  it('but not what says nothing', () => {
    expect(load(web('ports: ["0.0.0.0:80:80", "0:81"]', 'restart: ""')).warnings).toEqual([]);
  });
});

describe('of several files', () => {
  const merged = (...texts: readonly string[]) => {
    const files = texts.map((text, i) => join(folder, `${i}.yaml`));
    for (const [i, file] of files.entries()) writeFileSync(file, texts[i] ?? '');
    return loadCompose(files, { variables: () => undefined, warn: () => undefined }).services?.['web'];
  };

  it('a later one may say no, and take everything away', () => {
    const service = merged(
      web('tty: true', 'init: true', 'command: [a]'),
      web('tty: false', 'init: false', 'command: []'),
    );
    expect(service).toMatchObject({ tty: false, init: false, command: [] });
  });

  it('a later one replaces only the port of the same protocol', () => {
    const service = merged(web('ports: ["53:53", "53:53/udp"]'), web('ports: ["53:5353/udp"]'));
    expect(service?.ports?.map(({ target, protocol }) => `${target}/${protocol}`)).toEqual(['53/tcp', '5353/udp']);
  });
});

describe('the order of deployment', () => {
  const orderOf = (text: string): string =>
    startOrder(load(text).services)
      .map(({ name }) => name)
      .join(' ');

  it('puts what others depend on first', () => {
    const text =
      'services: { a: { image: x, depends_on: [c, b] }, b: { image: x, depends_on: [d] }, c: { image: x }, d: { image: x } }';
    expect(orderOf(text)).toBe('c d b a');
  });

  it.each([
    ['{ a: { image: x, depends_on: [b] }, b: { image: x, depends_on: [a] } }', 'in a circle: a → b → a'],
    ['{ a: { image: x, depends_on: [z] } }', 'services.a.depends_on.z: there is no such service'],
    [
      '{ a: { image: x, depends_on: { b: { condition: service_completed_successfully } } }, b: { image: x } }',
      'b never completes, since its tasks are started again when they end; give b deploy.mode: replicated-job',
    ],
    [
      '{ a: { image: x, depends_on: { b: { condition: service_healthy } } }, b: { image: x, healthcheck: { disable: true } } }',
      'b has its health check turned off',
    ],
  ])('refuses what can never come true: %s', (text, message) => {
    expect(() => orderOf(`services: ${text}`)).toThrow(message);
  });
});

it.each([
  [`a "b c" d`, ['a', 'b c', 'd']],
  [`a 'b "c"' d\\ e`, ['a', 'b "c"', 'd e']],
  [`"" x`, ['', 'x']],
  [`a # rest`, ['a']],
  [`a "b`, undefined],
])('takes the command line %j apart', (line, found) => {
  expect(words(line)).toEqual(found);
});
