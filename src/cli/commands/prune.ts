import { createInterface } from 'node:readline/promises';
import { TrailError } from '../../core/error.ts';
import type { Prunable, PruneRequest } from '../../core/query.ts';
import { toSnake } from '../../core/wire.ts';
import { rulesOf } from '../../intake/prune.ts';
import type { Config } from '../settings.ts';
import type { Keeping, Target } from '../target.ts';
import { jsonText, safeText, styled, type Terminal } from '../terminal.ts';
import { withTarget } from '../with-target.ts';

export interface PruneOptions {
  readonly dryRun?: boolean;
  readonly olderThan?: string;
  readonly maxBytes?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** What is asked for, without the place in it. */
type Wanted = Omit<PruneRequest, 'cursor' | 'dryRun'>;

/** How often long work says how far it is. */
const PROGRESS_MS = 2_000;
const DAYS_MAX = 36_500;

/** List what goes by age and size, and delete it when that is wanted. */
export async function prune(terminal: Terminal, config: Config, options: PruneOptions): Promise<number> {
  const { dryRun = false, yes = false } = options;
  const given = {
    olderThanDays: wholeOf('--older-than', options.olderThan, { least: 0, most: DAYS_MAX }),
    maxBytes: wholeOf('--max-bytes', options.maxBytes, { least: 1, most: Number.MAX_SAFE_INTEGER }),
  };
  if (!dryRun && !yes && !process.stdin.isTTY) {
    throw new TrailError('invalid_usage', 'expected --yes, because nobody can be asked here; --dry-run only lists');
  }
  await withTarget(terminal, config, async ({ kind, keeping }) => {
    const wanted = wantedOf(given, config, kind);
    const found = await listed(terminal, keeping, { wanted, json: options.json ?? false });
    terminal.tell(`${dryRun || found.tasks === 0 ? '' : 'to delete: '}${described(found)}`);
    if (dryRun || found.tasks === 0) return;
    await terminal.flush();
    if (!yes && !(await confirmed())) return terminal.tell('nothing was deleted');
    await deleted(terminal, keeping, wanted);
  });
  return 0;
}

/** A server has its own settings; for a directory they are those of this command. */
function wantedOf(given: Wanted, config: Config, kind: Target['kind']): Wanted {
  const set = kind === 'directory' ? rulesOf(config) : {};
  return {
    olderThanDays: given.olderThanDays ?? set.olderThanDays,
    maxBytes: given.maxBytes ?? set.maxBytes,
  };
}

class Sum {
  tasks = 0;
  lines = 0;
  bytes = 0;

  add(tasks: readonly Prunable[]): void {
    this.tasks += tasks.length;
    for (const { lines, bytes } of tasks) {
      this.lines += lines;
      this.bytes += bytes;
    }
  }
}

async function listed(
  terminal: Terminal,
  keeping: Keeping,
  { wanted, json }: { wanted: Wanted; json: boolean },
): Promise<Sum> {
  const sum = new Sum();
  for await (const tasks of steps(keeping, { ...wanted, dryRun: true })) {
    if (sum.tasks === 0 && tasks.length > 0 && !json) await terminal.print(styled(HEAD, 'bold', terminal.colour));
    for (const task of tasks) await terminal.print(json ? `${jsonText(toSnake(task))}\n` : row(task));
    sum.add(tasks);
  }
  return sum;
}

async function deleted(terminal: Terminal, keeping: Keeping, wanted: Wanted): Promise<void> {
  const sum = new Sum();
  const progress = setInterval(async () => {
    const left = await keeping.storage().catch(() => undefined);
    const clearing = left && left.deletingBytes > 0 ? `; ${size(left.deletingBytes)} are being cleared away` : '';
    terminal.tell(`${sum.tasks} tasks deleted${clearing}`);
  }, PROGRESS_MS);
  try {
    // Sizes are estimates: whether it is enough is seen when the room is given back.
    for (let before = -1; sum.tasks > before; ) {
      before = sum.tasks;
      for await (const tasks of steps(keeping, { ...wanted, dryRun: false })) sum.add(tasks);
      await keeping.tidied();
      if (wanted.maxBytes === undefined) break;
    }
  } finally {
    clearInterval(progress);
  }
  const { bytes } = await keeping.storage();
  terminal.tell(`deleted: ${described(sum)}; the store takes ${size(bytes)} now`);
}

async function* steps(keeping: Keeping, request: PruneRequest): AsyncGenerator<readonly Prunable[]> {
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const { tasks, nextCursor } = await keeping.prune({ ...request, cursor });
    yield tasks;
    cursor = nextCursor;
  }
}

/** Only a clear yes deletes. */
async function confirmed(): Promise<boolean> {
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await asking.question('Delete them for good? [y/N] ')).trim());
  } catch {
    // Ctrl-C or Ctrl-D at the question.
    return false;
  } finally {
    asking.close();
  }
}

const HEAD = `${'ENDED'.padEnd(20)}  ${'LINES'.padStart(10)}  ${'SIZE'.padStart(8)}  ${'RULE'.padEnd(10)}  ID  TITLE\n`;

function row({ endedAt, lines, bytes, rule, taskId, title }: Prunable): string {
  const cells = [
    endedAt.replace(/\.\d{3}Z$/, 'Z'),
    String(lines).padStart(10),
    size(bytes).padStart(8),
    rule.padEnd(10),
    taskId,
    safeText((title ?? '').replace(/\s+/g, ' '), { colour: false }),
  ];
  return `${cells.join('  ').trimEnd()}\n`;
}

function described({ tasks, lines, bytes }: Sum): string {
  if (tasks === 0) return 'no task is to go';
  return `${tasks} ${tasks === 1 ? 'task' : 'tasks'}, ${lines} ${lines === 1 ? 'line' : 'lines'}, about ${size(bytes)}`;
}

function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes < 1_000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${power === 0 ? bytes : (bytes / 1_000 ** power).toFixed(1)} ${units[power]}`;
}

function wholeOf(
  flag: string,
  text: string | undefined,
  { least, most }: { least: number; most: number },
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new TrailError('invalid_usage', `${flag}: expected a whole number, ${least}–${most}, got ${text}`);
}
