import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { EntryInput } from '../../src/core/entry.ts';
import { type Clock, systemClock } from '../../src/core/time.ts';
import { StoreIntake } from '../../src/intake/intake.ts';
import { DirectoryProjector } from '../../src/outlet/directory/projector.ts';
import { SqliteDirectoryRecords } from '../../src/store/sqlite/directories.ts';
import { SqliteReader } from '../../src/store/sqlite/reader.ts';
import { SqliteStore } from '../../src/store/sqlite/store.ts';
import { scratch } from '../support/scratch.ts';

/** A store with its task directories, and projectors that can be stopped and started. */
export async function projected(t: TestContext, options: { clock?: Clock; root?: string } = {}) {
  const root = options.root ?? (await scratch(t));
  const dataDir = join(root, 'data');
  const dir = join(root, 'tasks');
  const store = new SqliteStore(dataDir);
  const intake = new StoreIntake(store);
  const records = new SqliteDirectoryRecords(dataDir);
  const reader = SqliteReader.open(dataDir);
  const warnings: string[] = [];
  const clock = options.clock ?? systemClock;
  let projector: DirectoryProjector | undefined;

  async function stop(): Promise<void> {
    await projector?.close();
    projector = undefined;
  }
  t.after(async () => {
    await stop();
    await Promise.all([records.close(), reader.close(), intake.close()]);
    await store.close();
  });

  /** A projector, running; it replaces the one that ran. */
  async function start(): Promise<DirectoryProjector> {
    await stop();
    projector = new DirectoryProjector({ dir, store: reader, records, warn: (text) => warnings.push(text), clock });
    projector.start();
    return projector;
  }

  /** Start if need be, and wait until the files show what is committed. */
  async function settled(): Promise<void> {
    await (projector ?? (await start())).settled();
  }

  function append(taskId: string, ...entries: readonly (EntryInput | string)[]) {
    const lines = entries.map((entry) => (typeof entry === 'string' ? { message: entry } : entry));
    return intake.append({ taskId, body: JSON.stringify(lines), format: 'json' });
  }

  const path = (taskId: string, name = ''): string => join(dir, taskId, name);
  const text = (taskId: string, name: string): Promise<string> => readFile(path(taskId, name), 'utf8');
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into documents of every shape
  const json = async (taskId: string, name: string): Promise<any> => JSON.parse(await text(taskId, name));
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into lines of every shape
  const lines = async (taskId: string, name = '03-agent-output.jsonl'): Promise<any[]> =>
    (await text(taskId, name))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  const contents = async (taskId: string): Promise<string[]> => (await lines(taskId)).map(({ content }) => content);

  return {
    root,
    dataDir,
    dir,
    store,
    intake,
    records,
    warnings,
    start,
    stop,
    settled,
    append,
    path,
    text,
    json,
    lines,
    contents,
  };
}
