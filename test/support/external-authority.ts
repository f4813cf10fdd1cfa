/** An authority outside of the cluster: an HTTPS server that answers as CFSSL does, and signs with the openssl program. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { KeyPair } from '../../src/identity/certificate.ts';
import { aServerCertificate } from './authority.ts';

/** What CFSSL is asked. */
export interface AskedToSign {
  readonly hosts?: readonly string[];
  readonly certificate_request: string;
  readonly subject: { readonly CN: string; readonly names: readonly { readonly OU: string; readonly O: string }[] };
  readonly profile?: string;
  readonly extensions?: readonly { readonly id: string; readonly critical: boolean; readonly value: string }[];
}

export interface ExternalAuthority {
  readonly url: string;
  /** Everything it was asked so far. */
  readonly asked: readonly AskedToSign[];
  /** What it answers from now on; undefined: it signs. */
  answer: ((request: AskedToSign) => Promise<object>) | undefined;
  /** Signs as it is asked to. */
  readonly sign: (request: AskedToSign) => Promise<object>;
  close(): Promise<void>;
}

/** @param trusted roots of whoever may ask */
export async function startExternalAuthority(
  parent: string,
  root: KeyPair,
  trusted = root.certificate,
): Promise<ExternalAuthority> {
  const directory = mkdtempSync(join(parent, 'external-'));
  const { certificate, key } = aServerCertificate(directory, root);
  const asked: AskedToSign[] = [];
  const options = { cert: certificate, key, ca: trusted, requestCert: true, rejectUnauthorized: true };
  const server = createServer(options, (request, reply) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const wanted = JSON.parse(body) as AskedToSign;
      asked.push(wanted);
      (authority.answer ?? authority.sign)(wanted).then(
        (said) => reply.end(JSON.stringify(said)),
        (error: unknown) => reply.end(JSON.stringify({ success: false, errors: [{ message: String(error) }] })),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const authority: ExternalAuthority = {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/sign`,
    asked,
    answer: undefined,
    sign: async (wanted) => ({ success: true, result: { certificate: signedBy(directory, wanted) } }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return authority;
}

let serial = 100;

/** {@link aServerCertificate} has left the root and its key in the directory. */
function signedBy(directory: string, wanted: AskedToSign): string {
  const file = (name: string, content: string): string => {
    writeFileSync(join(directory, name), content);
    return join(directory, name);
  };
  const csr = file('request', wanted.certificate_request);
  const signer = ['-CA', join(directory, 'root.pem'), '-CAkey', join(directory, 'root.key')];
  const extensions = file('extensions', wanted.profile === 'CA' ? authorityExtensions(wanted) : nodeExtensions(wanted));
  const [unit] = wanted.subject.names;
  const subject = wanted.profile === 'CA' ? [] : ['-subj', `/O=${unit?.O}/OU=${unit?.OU}/CN=${wanted.subject.CN}`];
  const target = join(directory, 'signed.pem');
  const signing = ['x509', '-req', '-in', csr, ...signer, '-set_serial', String(serial++), '-days', '90'];
  const args = [...signing, ...subject, '-extfile', extensions, '-out', target];
  execFileSync('openssl', args, { stdio: 'pipe' });
  return readFileSync(target, 'utf8');
}

const authorityExtensions = ({ extensions = [] }: AskedToSign): string =>
  extensions
    .map(({ id, critical, value }) => `${id}=${critical ? 'critical,' : ''}DER:${value}`)
    .concat('keyUsage=critical,keyCertSign,cRLSign')
    .join('\n');

const nodeExtensions = ({ hosts = [] }: AskedToSign): string =>
  [
    'basicConstraints=critical,CA:FALSE',
    'keyUsage=critical,digitalSignature,keyEncipherment',
    'extendedKeyUsage=serverAuth,clientAuth',
    `subjectAltName=${hosts.map((host) => `DNS:${host}`).join(',')}`,
  ].join('\n');
