/** Many single faults, each judged: a start finds everything, or all but a write that was never acknowledged, or says that the log is corrupt. */
import { LogCorruptError, LogIdentityError, LogKeyError } from '../../log/errors.ts';
import { SeededRandom } from '../random.ts';
import { withFault } from './faults.ts';
import { isSame, recovered } from './recovered.ts';
import type { Subject } from './subjects.ts';

export type Verdict = 'whole' | 'without the interrupted write' | 'corrupt';

export interface CampaignReport {
  readonly counts: Readonly<Record<Verdict, number>>;
  /** Faults after which a start found something else. */
  readonly wrong: readonly string[];
}

/** Faults with the numbers from `first` on; the number is the seed. */
export async function runCampaign(subjects: readonly Subject[], first: number, count: number): Promise<CampaignReport> {
  const counts: Record<Verdict, number> = { whole: 0, 'without the interrupted write': 0, corrupt: 0 };
  const wrong: string[] = [];
  for (let number = first; number < first + count; number++) {
    const random = new SeededRandom(number);
    const subject = random.pick(subjects);
    const { files, text } = withFault(subject.files, random);
    const verdict = await judge(subject, files);
    if (verdict.startsWith('wrong')) wrong.push(`fault ${number}, ${subject.name} log, ${text}: ${verdict}`);
    else counts[verdict as Verdict]++;
  }
  return { counts, wrong };
}

async function judge(subject: Subject, files: Subject['files']): Promise<Verdict | `wrong: ${string}`> {
  try {
    const found = await recovered(files, subject.keys);
    const { whole, withoutLastWrite } = subject;
    if (isSame(found, whole)) return 'whole';
    if (withoutLastWrite !== undefined && isSame(found, withoutLastWrite)) return 'without the interrupted write';
    return `wrong: found ${found.needed.slice(0, 200)} instead of ${whole.needed.slice(0, 200)}`;
  } catch (error) {
    const isDeclared =
      error instanceof LogCorruptError || error instanceof LogIdentityError || error instanceof LogKeyError;
    return isDeclared ? 'corrupt' : `wrong: ${String(error)}`;
  }
}
