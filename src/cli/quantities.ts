/** Amounts as people read them. */

const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** "1.5GiB"; empty for undefined. */
export function bytesText(bytes: number | undefined): string {
  if (bytes === undefined) return '';
  const power = bytes < 1 ? 0 : Math.min(BINARY.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${value >= 100 || power === 0 ? Math.round(value) : Number(value.toPrecision(3))}${BINARY[power]}`;
}

/** CPUs from nano-CPUs. */
export const cpusText = (nanoCpus: number | undefined): string =>
  nanoCpus === undefined ? '' : String(Math.round(nanoCpus / 1e7) / 100);

export const labelsText = (labels: Readonly<Record<string, string>> | null | undefined): string =>
  Object.entries(labels ?? {})
    .map(([key, value]) => (value === '' ? key : `${key}=${value}`))
    .join(',');
