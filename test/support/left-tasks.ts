/** Tasks of the process runtime outlive their daemons: a test that kills those has to end what is left. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Ends the processes whose working folder or command line lies in a folder. */
export function killLeftTasks(directory: string): void {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  for (const pid of pids.map(Number)) {
    if (!liesIn(pid, directory)) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended meanwhile.
    }
  }
}

function liesIn(pid: number, directory: string): boolean {
  try {
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return commandLine.includes(directory) || readlinkSync(`/proc/${pid}/cwd`).startsWith(`${directory}/`);
  } catch {
    // It ended meanwhile, or is somebody else's.
    return false;
  }
}
