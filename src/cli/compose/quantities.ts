/** Durations, sizes and shares as compose files write them. */
import { parseDurationMs } from '../../common/time.ts';
import { bytes } from '../values.ts';
import type { Field } from './field.ts';
import { value } from './shape.ts';

/** Nanoseconds. */
export const duration = value((field) => {
  try {
    return Math.round(parseDurationMs(field.text()) * 1e6);
  } catch {
    throw field.wrong(`"${field.text()}" is not a duration`, 'write a number with a unit, for example 30s or 1h30m');
  }
});

/** Bytes; units are powers of 1024. */
export const size = value((field) => {
  try {
    return bytes('', field.text());
  } catch {
    throw field.wrong(`"${field.text()}" is not a size`, 'write a number with a unit, for example 64m or 1g');
  }
});

/** Nano-CPUs. */
export const cpuCount = value((field) => Math.round(decimal(field) * 1e9));

export const share = value((field) => {
  const number = decimal(field);
  if (number > 1) throw field.wrong(`${number} is more than 1`, 'give a share from 0 to 1');
  return number;
});

function decimal(field: Field): number {
  const text = field.text();
  const number = Number(text);
  if (!(number >= 0) || text.trim() === '') throw field.isNot('a number, 0 or more');
  return number;
}
