import {
  type ComparedPattern,
  type ComparedTask,
  type Comparison,
  comparisonToWire,
  type PatternsAsked,
  patternsToWire,
} from '../../core/comparison.ts';
import { TrailError } from '../../core/error.ts';
import { parseFilter } from '../../core/filter.ts';
import { checkTaskId } from '../../core/id.ts';
import { LEVELS } from '../../core/level.ts';
import { PATTERNS, PATTERNS_MAX } from '../../core/limits.ts';
import type { Pattern, Patterns } from '../../core/patterns.ts';
import { rawFilterOf } from '../filter-options.ts';
import { withQuery } from '../query-place.ts';
import type { Config } from '../settings.ts';
import { printJson, printTable } from '../table.ts';
import { type Style, safeText, styled, type Terminal } from '../terminal.ts';
import { withTarget } from '../with-target.ts';

export interface PatternOptions {
  readonly query?: string;
  readonly limit?: string;
  readonly json?: boolean;
  readonly [filter: string]: unknown;
}

/** Print the patterns of a task's lines, or of those of all tasks, the most frequent first. */
export async function patterns(
  terminal: Terminal,
  config: Config,
  id: string | undefined,
  options: PatternOptions,
): Promise<number> {
  const asked = { ...askedOf(options), ...(id !== undefined && { tasks: [checkTaskId(id)] }) };
  return withTarget(terminal, config, async ({ trail }) => {
    if (id !== undefined) await trail.get(id);
    const found = await withQuery(terminal, { query: asked.q, of: 'lines' }, () => trail.patterns(asked));
    if (options.json) return printJson(terminal, [patternsToWire(found)]);
    await printTable(terminal, ['COUNT', 'LEVEL', 'TASKS', 'PATTERN'], found.patterns.map(cells), LEVEL_COLUMN);
    tellRest(terminal, found);
    return 0;
  });
}

/** Print what is new, gone and changed in a task, each list under its name. */
export async function compare(
  terminal: Terminal,
  config: Config,
  { id, base }: { id: string; base: string | undefined },
  options: PatternOptions,
): Promise<number> {
  const taskId = checkTaskId(id);
  const asked = { ...askedOf(options), ...(base !== undefined && { with: checkTaskId(base) }) };
  return withTarget(terminal, config, async ({ trail }) => {
    const found = await withQuery(terminal, { query: asked.q, of: 'lines' }, () => trail.compare(taskId, asked));
    if (options.json) return printJson(terminal, [comparisonToWire(found)]);
    await printComparison(terminal, found);
    return 0;
  });
}

const LEVEL_STYLES: Readonly<Record<string, Style>> = { ERROR: 'red', WARNING: 'yellow' };
const LEVEL_COLUMN = { column: 1, style: (level: string) => LEVEL_STYLES[level] };

function askedOf({ query, limit = String(PATTERNS), ...options }: PatternOptions): PatternsAsked {
  const count = Number(limit);
  if (!/^\d+$/.test(limit) || count < 1 || count > PATTERNS_MAX) {
    throw new TrailError('invalid_usage', `--limit: expected a whole number, 1–${PATTERNS_MAX}, got ${limit}`);
  }
  return { ...parseFilter(rawFilterOf(options)), limit: count, ...(query && { q: query }) };
}

function cells({ template, count, byLevel, tasks }: Pattern): readonly string[] {
  const level = LEVELS.findLast((name) => byLevel[name] > 0) ?? '';
  return [String(count), level, String(tasks), template];
}

function tellRest(terminal: Terminal, { other, exact, scannedFrom }: Patterns): void {
  if (other > 0) terminal.tell(`${other} more lines have other patterns; --limit shows more`);
  if (!exact) terminal.tell(`the time was up: lines before ${scannedFrom} were not looked at; --from asks for less`);
}

async function printComparison(terminal: Terminal, { task, base, added, gone, changed, ...rest }: Comparison) {
  const { totals, exact } = rest;
  await terminal.print(`${sideText('task', task)}\n${sideText('base', base)}\n`);
  const lists = [
    ['NEW', totals.added, added],
    ['GONE', totals.gone, gone],
    ['CHANGED', totals.changed, changed],
  ] as const;
  for (const [name, total, list] of lists) {
    if (total === 0) continue;
    await terminal.print(`\n${styled(name, 'bold', terminal.colour)} (${total})\n`);
    await printTable(
      terminal,
      ['COUNT', 'LEVEL', 'IN BASE', 'SHARE', 'PATTERN'],
      list.map(comparedCells),
      LEVEL_COLUMN,
    );
  }
  await terminal.print(`\n${styled('SAME', 'bold', terminal.colour)} (${totals.same})\n`);
  if (!exact) terminal.tell('not every line was looked at, or there were too many patterns to tell apart');
}

function sideText(name: string, { taskId, status, title, lines }: ComparedTask): string {
  const shown = title === null ? '' : `  ${safeText(title.replace(/\s+/g, ' '), { colour: false })}`;
  return `${name}  ${taskId}  ${status}  ${lines} lines${shown}`;
}

function comparedCells({ template, level, count, baseCount, ratio }: ComparedPattern): readonly string[] {
  return [String(count), level, String(baseCount), ratio === null ? '' : `× ${Number(ratio.toPrecision(2))}`, template];
}
