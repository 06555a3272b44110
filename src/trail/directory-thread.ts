/*
 * The thread that writes the task directories. It has connections of its own, so a disk that hangs holds up neither those who
 * commit nor those who read.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { DirectoryProjector } from '../outlet/directory/projector.ts';
import { SqliteDirectoryRecords } from '../store/sqlite/directories.ts';
import { SqliteReader } from '../store/sqlite/reader.ts';
import { type Methods, serveThread } from './serve-thread.ts';

export interface DirectoryThreadData {
  readonly dataDir: string;
  /** Where the task directories lie. */
  readonly dir: string;
}

/** Something could not be written: how often so far, and at most once a minute why. */
export interface DirectoryFault {
  readonly failures: number;
  readonly warning?: string;
}

/** How often failures are told. */
const TELL_EVERY_MS = 1_000;

const port = parentPort;
if (port)
  serveThread(port, () => open(workerData as DirectoryThreadData, (fault) => port.postMessage({ told: fault })));

function open({ dataDir, dir }: DirectoryThreadData, tell: (fault: DirectoryFault) => void): Methods {
  const store = SqliteReader.open(dataDir);
  const records = new SqliteDirectoryRecords(dataDir);
  const projector = new DirectoryProjector({ dir, store, records, warn });
  let told = 0;
  function warn(warning?: string): void {
    if (warning === undefined && told === projector.failures) return;
    told = projector.failures;
    tell({ failures: told, ...(warning !== undefined && { warning }) });
  }
  projector.start();
  const telling = setInterval(() => warn(), TELL_EVERY_MS);
  return {
    settled: () => projector.settled(),
    close: async () => {
      clearInterval(telling);
      await projector.close();
      warn();
      await records.close();
      await store.close();
    },
  };
}
