import { TASK_SORTS } from '../../src/core/query.ts';
import { atMost, type Row, type Section, shown } from '../section.ts';
import { bySize, growthRow, named } from '../support/sizes.ts';
import { TASK_SIZES } from '../support/task-stores.ts';

const MOST = named(TASK_SIZES[2], 'tasks');

function row(what: string, figure: string): Row {
  return { ...text(what, figure), show: shown(' ms', 1), aim: atMost(20, ' ms') };
}

function text(what: string, figure: string): Row {
  return { what, value: (median) => median(MOST, figure), show: shown(' ms', 0), peer: true };
}

function grows(what: string, figure: string): Row {
  return growthRow({ what, peer: true }, figure, { of: TASK_SIZES, what: 'tasks' });
}

export const tasks: Section = {
  name: 'tasks',
  title: 'The list of tasks',
  about: `Stores of ${TASK_SIZES.map((size) => size.toLocaleString('en-US')).join(', ')} tasks of which every tenth has lines, made through the store in large
commits; the rows are those of the largest. \`GET /api/tasks?limit=50\` over HTTP by one client on one kept-alive connection: the first page, the
101st by its cursor, with filters, by each \`sort\` (the slower of its two orders); \`GET /api/tasks/facets\`. Totals are counted by
groups that are kept with the tasks, or one by one up to 10,000. A text (\`q=word\`) is looked for in ids, titles, kinds, sources and errors. With directories on a million
of them would lie beside the store, which is not measured: the list does not look at them.

Growth over the three stores: a text that few tasks or none hold is looked for in all of them, so that it grows with their number.`,
  rounds: 3,
  variants: bySize(TASK_SIZES, 'tasks', { script: 'tasks.ts' }),
  rows: [
    row('first page', 'firstMs'),
    row('page 101', 'deepMs'),
    row('one status of many tasks', 'statusMs'),
    row('one status of few tasks', 'rareStatusMs'),
    row('one source', 'sourceMs'),
    row('one agent', 'agentMs'),
    row('one tag', 'tagMs'),
    row('least cost', 'costMs'),
    ...TASK_SORTS.map((sort) => row(`by \`${sort}\``, `by_${sort}Ms`)),
    row('facet counts', 'facetsMs'),
    text('a text that most hold', 'commonTextMs'),
    text('a text that few hold', 'rareTextMs'),
    text('a text that none holds', 'absentTextMs'),
    grows('first page', 'firstMs'),
    grows('slowest sort', 'slowestSortMs'),
    grows('facet counts', 'facetsMs'),
    grows('a text that none holds', 'absentTextMs'),
  ],
};
