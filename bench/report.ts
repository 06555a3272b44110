import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runKey } from './run.ts';
import type { Medians, Mode, Result, Row, Section } from './section.ts';
import { median } from './stats.ts';

const DOCUMENT = fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url));

const HEAD = `# Benchmarks

Written by \`npm run bench\`, which measures tasktrail beside what somebody would pick instead; \`npm run bench -- SECTION\` measures one
section anew. Each variant is a fresh process on an empty directory of the disk that the repository is on; the order is reversed between
rounds, and the median is shown. Raw values stand at the end of each section and in \`bench/results/\`. “Off” and “on” say whether the
[task directory](task-directory.md) is written. A missed aim is **bold**, and what bounds it stands below its table. “Growth” is the slope
of a straight line through log cost against log size: 0 is flat, 1 is linear. A call, a write of a file, a frame and an event have no size to
grow with. What is taken in stays a little below 1, because code that is not compiled yet is paid for once: a line costs the same however
much is stored.
`;

/** A row that has an aim, and what it came to. */
interface Aimed {
  readonly line: string;
  readonly missed: boolean;
}

/** Writes docs/benchmarks.md from the last result of each section. Answers what missed its aim. */
export function writeDocument(sections: readonly Section[]): string {
  const aimed: Aimed[] = [];
  const parts = sections.map((section) => {
    const result = resultOf(section.name);
    return result ? sectionText(section, result, aimed) : `## ${section.title}\n\nNot measured yet.\n`;
  });
  const missed = aimed.filter((row) => row.missed).map(({ line }) => line);
  writeFileSync(DOCUMENT, [HEAD, glance(aimed, missed.length), ...parts].join('\n'));
  return missed.length === 0 ? 'every aim is met' : `missed:\n${missed.join('\n')}`;
}

function glance(aimed: readonly Aimed[], missed: number): string {
  return [
    '## The aims\n',
    `${aimed.length - missed} of ${aimed.length} are met.\n`,
    '| section | what | aim | off | on |',
    '|---|---|---:|---:|---:|',
    ...aimed.map(({ line }) => line),
    '',
  ].join('\n');
}

function resultOf(name: string): Result | undefined {
  const file = fileURLToPath(new URL(`./results/${name}.json`, import.meta.url));
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Result) : undefined;
}

function sectionText(section: Section, result: Result, aimed: Aimed[]): string {
  const { date, commit, machine, versions, load } = result;
  const bounds: string[] = [];
  const lines = section.rows.map((row) => {
    const cells = cellsOf(row, section, result);
    const missed = cells.some((cell) => cell.startsWith('**'));
    if (missed) bounds.push(`- ${row.what}: ${row.bounds ?? 'not looked into yet.'}`);
    if (row.aim) {
      const line = `| [${section.title}](#${anchor(section.title)}) | ${row.what} | ${row.aim.text} | ${cells.join(' | ')} |`;
      aimed.push({ line, missed });
    }
    return `| ${row.what} | ${row.aim?.text ?? ''} | ${cells.join(' | ')} |`;
  });
  return [
    `## ${section.title}\n`,
    `${section.about.trim()}\n`,
    '| what | aim | off | on |',
    '|---|---:|---:|---:|',
    ...lines,
    '',
    ...(bounds.length > 0 ? ['Missed:\n', ...bounds, ''] : []),
    `<details><summary>Raw values</summary>\n`,
    `${machine}; ${versions}; commit ${commit}, ${date}; load before the run ${load}.\n`,
    ...rawLines(result),
    '\n</details>\n',
  ].join('\n');
}

/** As GitHub names a heading. */
function anchor(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
}

function cellsOf(row: Row, section: Section, result: Result): string[] {
  const cell = (mode: Mode): string => {
    const value = row.value(mediansOf(section, result, mode));
    if (Number.isNaN(value)) return '';
    const text = row.show(value);
    return row.aim && !row.aim.met(value) ? `**${text}**` : text;
  };
  return row.peer ? [cell('off'), ''] : [cell('off'), cell('on')];
}

function mediansOf(section: Section, { runs }: Result, mode: Mode): Medians {
  return (name, figure) => {
    const variant = section.variants.find((each) => each.name === name);
    if (!variant) throw new Error(`${section.name} has no variant ${name}`);
    return median((runs[runKey(variant, mode)] ?? []).map((figures) => figures[figure] ?? Number.NaN));
  };
}

function rawLines({ runs }: Result): string[] {
  return Object.entries(runs).map(([variant, rounds]) => {
    const names = [...new Set(rounds.flatMap((figures) => Object.keys(figures)))];
    const lists = names.map((name) => `${name} ${rounds.map((figures) => brief(figures[name])).join(' ')}`);
    return `- ${variant}: ${lists.join('; ')}`;
  });
}

/** Four digits tell enough. */
function brief(value: number | null | undefined): string {
  return value === undefined || value === null ? '–' : String(Number(value.toPrecision(value >= 1_000 ? 6 : 4)));
}
