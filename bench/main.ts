/*
 * npm run bench [-- SECTION…]: measures us beside what somebody would pick instead, and writes docs/benchmarks.md from the last
 * result of each section. `npm run bench -- --list` names the sections, `--write` only writes the document; BENCH_ROUNDS changes
 * how often each variant runs. Sections with a browser need `npm run build` first.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { writeDocument } from './report.ts';
import { runSection } from './run.ts';
import { SECTIONS } from './sections.ts';

const [...asked] = process.argv.slice(2);
const unknown = asked.find((name) => !name.startsWith('--') && !SECTIONS.some((section) => section.name === name));
if (unknown !== undefined) fail(`expected one of ${SECTIONS.map(({ name }) => name).join(', ')}, got ${unknown}`);
if (asked.includes('--list')) {
  for (const { name, title } of SECTIONS) process.stdout.write(`${name.padEnd(12)} ${title}\n`);
} else {
  if (!asked.includes('--write')) await runAll();
  process.stdout.write(`${writeDocument(SECTIONS)}\n`);
}

async function runAll(): Promise<void> {
  const rounds = process.env.BENCH_ROUNDS === undefined ? undefined : Number(process.env.BENCH_ROUNDS);
  mkdirSync(new URL('./results/', import.meta.url), { recursive: true });
  for (const section of SECTIONS.filter(({ name }) => asked.length === 0 || asked.includes(name))) {
    const result = await runSection(section, rounds);
    // Kept at once: a later section that fails takes nothing away.
    const file = fileURLToPath(new URL(`./results/${section.name}.json`, import.meta.url));
    writeFileSync(file, `${JSON.stringify(result, null, 1)}\n`);
  }
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
