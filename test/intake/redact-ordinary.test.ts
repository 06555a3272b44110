import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { Blocks } from '../../src/intake/redact/blocks.ts';
import { createRedactor } from '../../src/intake/redact.ts';
import { buildOutput } from '../support/build-output.ts';
import { random } from '../support/random.ts';
import { letters } from '../support/secrets.ts';

const WRITTEN = readFileSync(new URL('../fixtures/redaction/ordinary.txt', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n');
/** What looks drawn by lot in ordinary lines: a rule that measures entropy would take it for secrets. */
const DRAWN: Readonly<Record<string, (seed: string) => string>> = {
  'digest in hex': (seed) => `sha256:${letters(seed, 64, '0123456789abcdef')}`,
  'commit of git': (seed) => `commit ${letters(seed, 40, '0123456789abcdef')}`,
  UUID: (seed) =>
    `request ${[8, 4, 4, 4, 12].map((n) => letters(`${seed} ${n}`, n, '0123456789abcdef')).join('-')} done`,
  'integrity of a package': (seed) => `"integrity": "sha512-${letters(seed, 86)}=="`,
  'image in base64': (seed) => `data:image/png;base64,${letters(seed, 400)}+/=`,
  'line of base64': (seed) => letters(seed, 76),
  ULID: (seed) => `task-01J${letters(seed, 23, '0123456789ABCDEFGHJKMNPQRSTVWXYZ')} started`,
  'address of a page': (seed) =>
    `GET https://cdn.example.org/${letters(seed, 30)}?v=${letters(`${seed} v`, 12)}&to=a@b.org 200`,
  'public key': (seed) => `ssh-rsa AAAAB3NzaC1yc2E${letters(seed, 300)} me@laptop`,
  'hashed file': (seed) => `dist/assets/index-${letters(seed, 8)}.js 12.3 kB`,
};

test('of lines that people and programs really write none is changed', () => {
  const blocks = new Blocks(createRedactor());
  for (const line of WRITTEN) assert.equal(blocks.mask(line, { taskId: 'task-1' }), line);
});

test('of 60,000 ordinary lines at most one in a thousand is changed', () => {
  const lines = [
    ...buildOutput(40_000, 7),
    ...Object.entries(DRAWN).flatMap(([name, draw]) =>
      Array.from({ length: 2_000 }, (_, index) => draw(`${name} ${index}`)),
    ),
  ];
  const redactor = createRedactor(['a registered value', letters('another', 24)]);
  const blocks = new Blocks(redactor);
  const changed = lines.filter((line) => blocks.mask(line, { taskId: 'task-1' }) !== line);
  assert.ok(lines.length >= 60_000);
  assert.ok(changed.length <= lines.length / 1_000, `${changed.length} of ${lines.length}: ${changed.slice(0, 5)}`);
});

test('ordinary lines are not changed by the values that a developer has in the environment', () => {
  const next = random(5);
  const values = Array.from({ length: 20 }, (_, index) => letters(`value ${index}`, 8 + Math.floor(next() * 40)));
  const { mask } = createRedactor(values);
  const lines = [...WRITTEN, ...buildOutput(20_000, 8)];
  assert.deepEqual(
    lines.filter((line) => mask(line) !== line),
    [],
  );
});
