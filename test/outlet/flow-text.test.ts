import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { NumberedLine } from '../../src/core/directory.ts';
import { ENTRY_TYPES, entryId, type JsonObject, STREAMS } from '../../src/core/entry.ts';
import { LEVELS } from '../../src/core/level.ts';
import { flowLine } from '../../src/core/task-files.ts';
import { compareDirectory } from '../../src/outlet/directory/compare.ts';
import { flowText } from '../../src/outlet/directory/flow-text.ts';
import { linesOnly, lineText } from '../../src/outlet/directory/json-line.ts';
import { projected } from './support.ts';

const keys = fc.oneof(fc.string(), fc.constantFrom('tool', 'args', 'metrics', 'stage', 'progress', '__proto__', '1'));
const metadata = fc.dictionary(keys, fc.jsonValue()).map((held) => JSON.stringify(held));
const lines: fc.Arbitrary<NumberedLine> = fc.record({
  seq: fc.integer({ min: 1, max: 1e9 }),
  timestamp: fc.constant('2026-01-24T10:00:00.000Z'),
  level: fc.constantFrom(...LEVELS),
  source: fc.string({ minLength: 1, maxLength: 64 }),
  stream: fc.option(fc.constantFrom(...STREAMS)),
  type: fc.constantFrom(...ENTRY_TYPES),
  message: fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('a\u2028b\u0085', '"\\\n', '\u001b[31mred')),
  metadataJson: fc.option(metadata),
});

test('what is written by hand is the JSON of the same line as an object', () => {
  fc.assert(
    fc.property(lines, (line) => {
      const { metadataJson, ...rest } = line;
      const held = metadataJson === null ? null : (JSON.parse(metadataJson) as JsonObject);
      const expected = flowLine({ ...rest, id: entryId('t', line.seq), taskId: 't', metadata: held });
      assert.deepEqual(flowText('t', line), { file: expected.file, text: lineText(expected.line) });
    }),
    { numRuns: 500 },
  );
});

test('what SQLite writes at once is what is written line by line, and each line is one for every program', async (t) => {
  const { intake, append, settled, dir, store, text } = await projected(t);
  const plain = ['one', '日本語 🎉 "quoted" \\ \t', 'two\u2028lines\u0085here', '\u0000\u001b[31mred', "it's"];
  await intake.createTask({ taskId: 'plain' });
  await append(
    'plain',
    ...plain,
    ...plain.map((message) => ({ message, level: 'ERROR', source: 'a "b"', stream: 'stderr' as const })),
  );
  await intake.createTask({ taskId: 'mixed' });
  await append(
    'mixed',
    ...plain,
    { message: 'call', type: 'tool_call', metadata: { tool: 'Bash' } },
    { message: 'hi', type: 'user_input' },
  );
  await settled();
  for (const taskId of ['plain', 'mixed']) assert.deepEqual(await compareDirectory(dir, store, { taskId }), []);
  assert.equal(
    (await text('plain', '03-agent-output.jsonl')).split(/[\n\u0085\u2028\u2029]/).length,
    2 * plain.length + 1,
  );
  const ascii = Buffer.from('{"content":"a"}\n');
  assert.equal(linesOnly(ascii), ascii);
});
