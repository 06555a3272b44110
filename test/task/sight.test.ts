import assert from 'node:assert/strict';
import test from 'node:test';
import { newTask } from '../../src/core/change.ts';
import type { StoreReader } from '../../src/core/ports.ts';
import type { Status } from '../../src/core/status.ts';
import { Sight } from '../../src/task/sight.ts';

const NOW = '2026-01-24T10:00:00.000Z';
const task = (status: Status) => newTask({ taskId: 'a', status }, NOW);

test('a state that was read before a change does not take the place of the one that the change told', async () => {
  const reads: ((status: Status) => void)[] = [];
  const read = () =>
    new Promise((resolve) => {
      reads.push((status) => resolve(task(status)));
    });
  const seen: Status[] = [];
  const store = { task: read } as unknown as StoreReader;
  const sight = new Sight(store, task('executing'), { onSeen: ({ status }) => seen.push(status), onGone: () => {} });
  const looking = sight.look();
  sight.see(task('awaiting_input'));
  reads[0]?.('executing');
  // It is read again, because what is newest is not known.
  while (reads.length < 2) await null;
  reads[1]?.('awaiting_input');
  await looking;
  assert.deepEqual(seen, ['awaiting_input', 'awaiting_input']);
});
