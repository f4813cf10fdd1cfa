/** Values as users write them on the command line. Each parser throws a UsageError naming flag, value and form. */
import { parseDurationMs } from '../common/time.ts';
import type { MountObject, PortObject } from './types.ts';
import { UsageError } from './usage-error.ts';

const wrong = (flag: string, text: string, form: string): UsageError => new UsageError(`${flag} "${text}": ${form}`);

/** Milliseconds. */
export function milliseconds(flag: string, text: string): number {
  try {
    const value = parseDurationMs(text);
    if (value >= 0) return value;
  } catch {
    // Told below.
  }
  throw wrong(flag, text, 'give a duration with a unit (ns, us, ms, s, m, h), for example 30s or 1h30m');
}

/** Nanoseconds. */
export const duration = (flag: string, text: string): number => Math.round(milliseconds(flag, text) * 1e6);

/** A share from 0 to 1. */
export function ratio(flag: string, text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value <= 1) || text.trim() === '') throw wrong(flag, text, 'give a share from 0 to 1');
  return value;
}

/** Nano-CPUs from a decimal number of CPUs. */
export function cpus(flag: string, text: string): number {
  const value = Number(text);
  if (!(value >= 0) || text.trim() === '') throw wrong(flag, text, 'give a number of CPUs, for example 0.5');
  return Math.round(value * 1e9);
}

const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** Bytes from a number with an optional unit b, k, m, g or t (powers of 1024). */
export function bytes(flag: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?$/i.exec(text);
  if (!match) throw wrong(flag, text, 'give a number with a unit, for example 64m or 1g');
  return Math.round(Number(match[1]) * (UNITS[(match[2] ?? '').toLowerCase()] ?? 1));
}

export function wholeNumber(flag: string, text: string): number {
  if (!/^\d+$/.test(text)) throw wrong(flag, text, 'give a whole number, 0 or more');
  return Number(text);
}

export function keyValues(flag: string, texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at === 0 || text === '') throw wrong(flag, text, 'write key=value');
      return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

/** An image with the tag that a bare name stands for, as the Docker CLI writes it too: else its next update would change it. */
export const taggedImage = (image: string): string =>
  /@|:[^/]*$/.test(image) || image === '' ? image : `${image}:latest`;

/** "8080:80", "8080:80/udp" or "published=8080,target=80,protocol=tcp,mode=host". */
export function port(text: string): PortObject {
  const short = /^(?:(\d+):)?(\d+)(?:\/(tcp|udp|sctp))?$/.exec(text);
  if (short) {
    const [, published, target, protocol = 'tcp'] = short;
    return {
      Protocol: protocol,
      TargetPort: Number(target),
      PublishMode: 'ingress',
      ...(published ? { PublishedPort: Number(published) } : {}),
    };
  }
  const fields = knownFields('--publish', text, ['published', 'target', 'protocol', 'mode']);
  const target = fields['target'];
  if (target === undefined) throw wrong('--publish', text, 'write 8080:80 or published=8080,target=80,mode=host');
  return {
    Protocol: fields['protocol'] ?? 'tcp',
    TargetPort: wholeNumber('--publish target', target),
    PublishMode: fields['mode'] ?? 'ingress',
    ...(fields['published'] === undefined
      ? {}
      : { PublishedPort: wholeNumber('--publish published', fields['published']) }),
  };
}

/** "type=bind,source=/a,target=/b,readonly". */
export function mount(text: string): MountObject {
  const names = ['type', 'source', 'src', 'target', 'destination', 'dst', 'readonly'];
  const fields = knownFields('--mount', text, names);
  const target = fields['target'] ?? fields['destination'] ?? fields['dst'];
  if (target === undefined) throw wrong('--mount', text, 'write type=bind,source=/from,target=/to');
  const source = fields['source'] ?? fields['src'];
  const isReadOnly = fields['readonly'] !== undefined && fields['readonly'] !== 'false';
  return {
    Type: fields['type'] ?? 'volume',
    Target: target,
    ...(source ? { Source: source } : {}),
    ...(isReadOnly ? { ReadOnly: true } : {}),
  };
}

/** "key=value,key=value". A field that is not known would be lost without a word. */
function knownFields(flag: string, text: string, names: readonly string[]): Record<string, string> {
  const fields = keyValues(flag, text.split(','));
  const unknown = Object.keys(fields).find((key) => !names.includes(key));
  // A text without any field is of no form at all: what follows says how to write it.
  if (unknown !== undefined && text.includes('='))
    throw wrong(flag, text, `the field "${unknown}" is not known; there are ${names.join(', ')}`);
  return fields;
}

/** Lines of an environment: KEY=value. */
export function environment(flag: string, texts: readonly string[]): readonly string[] {
  for (const text of texts) {
    if (text === '' || text.startsWith('=')) throw wrong(flag, text, 'write key=value, for example LEVEL=debug');
  }
  return texts;
}

/** "spread=node.labels.zone": the label to spread over. */
export function spreadLabel(flag: string, text: string): string {
  const label = /^spread=(.+)$/.exec(text)?.[1];
  if (label === undefined) throw wrong(flag, text, 'write spread=label, for example spread=node.labels.zone');
  return label;
}

/** Docker's --filter: "name=web" several times, as the API wants it. */
export function filters(texts: readonly string[] | undefined): string | undefined {
  if (!texts || texts.length === 0) return undefined;
  const found: Record<string, string[]> = {};
  for (const text of texts) {
    const at = text.indexOf('=');
    if (at < 1) throw wrong('--filter', text, 'write key=value, for example name=web');
    (found[text.slice(0, at)] ??= []).push(text.slice(at + 1));
  }
  return JSON.stringify(found);
}
