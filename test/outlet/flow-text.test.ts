import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { NumberedLine } from '../../src/core/directory.ts';
import { ENTRY_TYPES, entryId, type JsonObject, STREAMS } from '../../src/core/entry.ts';
import { LEVELS } from '../../src/core/level.ts';
import { flowLine } from '../../src/core/task-files.ts';
import { flowText } from '../../src/outlet/directory/flow-text.ts';
import { lineText } from '../../src/outlet/directory/json-line.ts';

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
