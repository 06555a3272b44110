import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { UnendedLines } from '../../src/live/unended.ts';

function lines(t: TestContext) {
  let onReady = (): void => {};
  const made = new UnendedLines(() => onReady());
  t.after(() => made.close());
  const tell = (n: number, text: string): void => made.tell({ taskId: `task-${n}`, stream: 'stdout', text });
  const ready = (): Promise<void> =>
    new Promise((resolve) => {
      onReady = resolve;
    });
  return { made, tell, ready };
}

test('of more unended lines than 500 the first are told, each with its newest text, once', async (t) => {
  const { made, tell, ready } = lines(t);
  const told = ready();
  for (const text of ['old', 'new']) for (let n = 0; n < 2_000; n++) tell(n, text);
  await told;
  assert.equal(made.size, 500);
  const expected = Array.from({ length: 500 }, (_, n) => ({ taskId: `task-${n}`, stream: 'stdout', text: 'new' }));
  assert.deepEqual(made.take(), expected);
  assert.deepEqual([made.size, made.take()], [0, []]);
});

test('while nobody takes them there are never more than 500; that they have ended takes their places', async (t) => {
  const { made, tell, ready } = lines(t);
  for (const first of [0, 300, 600]) {
    const told = ready();
    for (let n = first; n < first + 300; n++) tell(n, 'text');
    await told;
    assert.ok(made.size <= 500);
  }
  for (let n = 0; n < 900; n++) tell(n, '');
  const ended = made.take();
  assert.equal(ended.length, 500);
  assert.deepEqual([...new Set(ended.map(({ text }) => text))], ['']);
  for (let n = 0; n < 900; n++) tell(n, '');
  assert.equal(made.size, 0, 'nobody shows them any more');
});
