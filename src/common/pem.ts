/** Certificates as PEM text. */

/** The certificates of a text, one after the other, without what stands around them; empty when there are none. */
export const certificatesIn = (pem: string): readonly string[] =>
  (pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []).map((one) =>
    one
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .join('\n'),
  );

/** Two texts with the same certificates give the same text. */
export const normalisedPem = (pem: string): string => certificatesIn(pem).join('\n');
