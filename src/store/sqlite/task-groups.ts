import { type Expr, judge, type Knows } from '../../core/expr.ts';
import type { TaskFacets } from '../../core/query.ts';
import type { Status } from '../../core/status.ts';
import type { Database } from './database.ts';

/** Groups that one question reads. Sources and tags are strangers' words: there may be as many as there are tasks. */
const GROUPS = 10_000;

/** Tasks that are alike in what they are mostly asked by. */
export interface TaskGroup {
  /** Null: all of them. Else those that have this tag. */
  readonly tag: string | null;
  readonly status: Status;
  readonly source: string;
  readonly provider: string | null;
  readonly kind: string | null;
  readonly agent: string | null;
  readonly tasks: number;
}

/** What is known without looking at tasks. */
export interface Grouped {
  /** Every task is in one of these. */
  readonly all: readonly TaskGroup[];
  /** Those in which a task may match; none is in two of them. */
  readonly groups: readonly TaskGroup[];
  /** At most so many match; just as many when `exact`. */
  readonly atMost: number;
  readonly exact: boolean;
}

/** Undefined when there are too many groups to tell. */
export function groupsThatMatch(db: Database, expr: Expr): Grouped | undefined {
  const tag = onlyTag(expr);
  const all = readGroups(db, '[null,');
  const asked = tag === undefined ? all : readGroups(db, startOf(db, tag));
  if (!all || !asked) return undefined;
  const judged = asked.map((group) => ({ group, verdict: judge(expr, knowsGroup(group)) }));
  const groups = judged.filter(({ verdict }) => verdict !== false).map(({ group }) => group);
  return {
    all,
    groups,
    atMost: groups.reduce((sum, { tasks }) => sum + tasks, 0),
    exact: judged.every(({ verdict }) => verdict !== undefined),
  };
}

/** Undefined when groups cannot tell. */
export function facetsOfGroups(db: Database, expr: Expr): TaskFacets | undefined {
  const all = readGroups(db, '[');
  // A task stands in a group for each of its tags: what is asked of tags is not asked of groups.
  const verdicts = all?.map((group) => judge(expr, knowsGroup({ ...group, tag: null })));
  if (!all || verdicts?.includes(undefined)) return undefined;
  const found = all.filter((_, n) => verdicts?.[n]);
  const whole = found.filter(({ tag }) => tag === null);
  return {
    status: counted(whole, ({ status }) => status),
    source: counted(whole, ({ source }) => source),
    kind: counted(whole, ({ kind }) => kind),
    agent: counted(whole, ({ agent }) => agent),
    tag: counted(found, ({ tag }) => tag),
  };
}

/** As SQLite itself writes it: what it escapes is its own affair. */
function startOf(db: Database, tag: string): string {
  const json = db.get<{ json: string }>('SELECT json_array(?) AS json', tag)?.json ?? '[]';
  return `${json.slice(0, -1)},`;
}

function readGroups(db: Database, start: string): readonly TaskGroup[] | undefined {
  const rows = db.all<{ group_json: string; tasks: number }>(
    'SELECT group_json, tasks FROM task_groups WHERE group_json >= ? AND group_json < ? LIMIT ?',
    ...[start, `${start}\u{10ffff}`, GROUPS + 1],
  );
  if (rows.length > GROUPS) return undefined;
  return rows.map(({ group_json, tasks }) => {
    const [tag, status, source, provider, kind, agent] = JSON.parse(group_json) as Named;
    return { tag, status, source, provider, kind, agent, tasks };
  });
}

type Named = [string | null, Status, string, string | null, string | null, string | null];

/** The one tag that every wanted task has. */
function onlyTag(expr: Expr): string | undefined {
  const parts = expr.op === 'all' ? expr.parts : [expr];
  for (const part of parts) if (part.op === 'tag' && part.values.length === 1) return part.values[0];
  return undefined;
}

/** Answers the terms that a group decides; what only a line could answer is false, as for a task. */
function knowsGroup({ tag, status, source, provider, kind, agent }: TaskGroup): Knows {
  return (term) => {
    switch (term.op) {
      case 'status':
        return term.values.includes(status);
      case 'source':
        return term.values.includes(source) || (provider !== null && term.values.includes(provider));
      case 'kind':
        return kind !== null && term.values.includes(kind);
      case 'agent':
        return agent !== null && term.values.includes(agent);
      case 'tag':
        return tag !== null && term.values.includes(tag) ? true : undefined;
      case 'text':
      case 'time':
      case 'task':
      case 'model':
      case 'cost':
      case 'dur':
        return undefined;
      default:
        return false;
    }
  };
}

function counted(groups: readonly TaskGroup[], name: (group: TaskGroup) => string | null): Record<string, number> {
  const counts = new Map<string, number>();
  for (const group of groups) {
    const named = name(group);
    if (named !== null) counts.set(named, (counts.get(named) ?? 0) + group.tasks);
  }
  return Object.fromEntries(counts);
}
