import { drawRandomBytes } from '../../common/random-bytes.ts';

/** 63 random bits in decimal: unique enough never to meet another request's id. */
export const newRequestId = (): string => (drawRandomBytes(8).readBigUInt64BE() >> 1n).toString();
