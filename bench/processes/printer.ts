/*
 * A command that works and prints: `printer.ts LINES ROUNDS FILE` works ROUNDS before each line, and writes to FILE how long its lines
 * took it, in ms. Its start is not counted: that is Node's.
 */
import { writeFileSync } from 'node:fs';
import { benchLine } from '../lines.ts';

const [lines = '500', rounds = '1', file = ''] = process.argv.slice(2);
const startMs = performance.now();
let sum = 0;
for (let line = 0; line < Number(lines); line++) {
  for (let round = 0; round < Number(rounds); round++) sum = (sum * 31 + round) % 1_000_003;
  process.stdout.write(`${benchLine(line)}\n`);
}
writeFileSync(file, String(sum < 0 ? Number.NaN : performance.now() - startMs));
