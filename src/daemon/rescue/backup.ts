/** `swarmd backup`: asks a running manager for the state of the swarm and keeps it in a file. */
import { ApiClient } from '../../cli/client.ts';
import type { BackupHead } from '../../api/ports.ts';
import { writeBackup, type Backup } from './backup-file.ts';

export interface BackupOptions {
  /** Where the manager's API is, unix:///path.sock. */
  readonly api: string;
  readonly out: string;
  readonly passphrase: string | undefined;
}

/** Resolves with what was written once it is on disk. Throws what the manager answers, unavailable when it does not. */
export async function backup({ api, out, passphrase }: BackupOptions): Promise<BackupHead> {
  const whole = await fetchBackup(new ApiClient({ host: api, flag: '--api' }));
  await writeBackup(out, whole, passphrase);
  return whole.head;
}

async function fetchBackup(client: ApiClient): Promise<Backup> {
  const chunks: Buffer[] = [];
  for await (const chunk of client.stream('/swarmd/backup', {}, new AbortController().signal)) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const end = bytes.indexOf('\n');
  return { head: JSON.parse(bytes.subarray(0, end).toString('utf8')) as BackupHead, state: bytes.subarray(end + 1) };
}
