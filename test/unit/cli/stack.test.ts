import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cliRig } from '../../support/cli.ts';

let rig: Awaited<ReturnType<typeof cliRig>>;
let folder: string;
beforeAll(async () => {
  rig = await cliRig();
  await rig.run('network', 'create', 'outside');
  folder = mkdtempSync(join(tmpdir(), 'stack-'));
});
afterAll(async () => {
  await rig.close();
  rmSync(folder, { recursive: true });
});

function deploy(text: string, ...flags: readonly string[]) {
  const file = join(folder, 'compose.yaml');
  writeFileSync(file, text);
  return rig.run('stack', 'deploy', '--detach', ...flags, '-c', file, 'shop');
}

const SHOP = `
services:
  web: { image: nginx, ports: ["8080:80"], secrets: [password], networks: [front], deploy: { replicas: 2 } }
  db: { image: postgres, networks: [front, outside] }
networks:
  front: {}
  outside: { external: true }
secrets:
  password: { file: ./password }
`;

describe('a stack', () => {
  it('is created from a compose file, listed and removed', async () => {
    writeFileSync(join(folder, 'password'), 'one');
    expect(await deploy(SHOP, '--dry-run')).toMatchObject({
      code: 0,
      stdout:
        'would create network shop_front\nwould create secret shop_password\nwould create service shop_web\nwould create service shop_db\n',
    });
    expect((await rig.run('stack', 'ls', '--quiet')).stdout).toBe('');
    expect(await deploy(SHOP)).toMatchObject({
      code: 0,
      stdout:
        'Creating network shop_front\nCreating secret shop_password\nCreating service shop_web\nCreating service shop_db\n',
    });
    expect((await rig.run('stack', 'ls')).stdout).toBe('NAME   SERVICES\nshop   2\n');
    const services = await rig.run('stack', 'services', 'shop', '--format', '{{.Name}} {{.Image}} {{.Replicas}}');
    expect(services.stdout).toBe('shop_db postgres:latest 0/1\nshop_web nginx:latest 0/2\n');
    expect((await rig.run('stack', 'ps', 'shop', '--quiet')).code).toBe(0);
    expect((await rig.run('stack', 'ps', 'none')).code).toBe(3);
  });

  it('deployed again leaves alone what is the same, and tells what is not', async () => {
    const versions = () => rig.store.read.service.all().map((service) => service.meta?.version?.index);
    const before = versions();
    expect((await deploy(SHOP)).stdout).toBe('Keeping service shop_web\nKeeping service shop_db\n');
    expect(versions()).toEqual(before);
    const changed = SHOP.replace('replicas: 2', 'replicas: 3').replace('image: postgres,', 'image: postgres:16,');
    expect((await deploy(changed)).stdout).toBe(
      'Updating service shop_web (Mode.Replicated.Replicas)\nUpdating service shop_db (Labels.com.docker.stack.image, Image)\n',
    );
  });

  it('keeps services the file no longer names, unless told to prune', async () => {
    const less = SHOP.replace(/ {2}db:.*\n/, '');
    await deploy(less);
    expect(rig.store.read.service.byName('shop_db')).toBeDefined();
    expect((await deploy(less, '--prune')).stdout).toContain('Removing service shop_db\n');
    expect(rig.store.read.service.byName('shop_db')).toBeUndefined();
  });

  it('says that the content of a secret cannot change', async () => {
    writeFileSync(join(folder, 'password'), 'two');
    const { code, stderr } = await deploy(SHOP);
    expect(code).toBe(1);
    expect(stderr).toContain('secret shop_password has another content by now, and that cannot be changed');
  });

  it.each([
    [SHOP.replace('front: {}', 'other: {}'), 'services.web.networks: the network "front" is not declared'],
    [SHOP.replace('{ file: ./password }', '{ external: true }'), 'services.web.secrets: there is no secret "password"'],
    [SHOP.replace('front: {}', 'front: { external: true }'), 'the external network "front" does not exist'],
    [SHOP.replace('image: nginx, ', ''), 'services.web.image: is missing; name the image'],
    [SHOP.replace('./password', './gone'), 'secrets.password.file: cannot be read'],
  ])('that cannot be deployed changes nothing', async (text, message) => {
    const version = rig.store.version;
    const { code, stderr } = await deploy(text);
    expect(stderr).toContain(message);
    expect(code).toBeGreaterThan(0);
    expect(rig.store.version).toBe(version);
  });

  it('names files that cannot be read, and ends with 2', async () => {
    const gone = await deploy(SHOP.replace('./password', './gone'));
    expect([gone.code, gone.stderr]).toEqual([2, expect.stringContaining(`"${join(folder, 'gone')}": ENOENT`)]);
    const environment = await deploy(SHOP.replace('image: nginx, ', 'image: nginx, env_file: ., '));
    expect([environment.code, environment.stderr]).toEqual([2, expect.stringContaining(`"${folder}": EISDIR`)]);
  });

  it('is removed with all it has', async () => {
    expect((await rig.run('stack', 'rm', 'shop')).stdout.trim().split('\n')).toEqual([
      'Removing service shop_web',
      'Removing secret shop_password',
      'Removing network shop_front',
    ]);
    expect((await rig.run('stack', 'rm', 'shop')).code).toBe(3);
  });

  it('is shown as its files come to', async () => {
    const file = join(folder, 'compose.yaml');
    writeFileSync(file, 'services: { web: { image: "nginx:${TAG:-1}", ports: ["8080:80"] } }');
    const { stdout } = await rig.run('stack', 'config', '-c', file, '--output', 'json');
    expect(JSON.parse(stdout)).toEqual({
      services: {
        web: { image: 'nginx:1', ports: [{ target: 80, published: 8080, protocol: 'tcp', mode: 'ingress' }] },
      },
    });
  });
});
