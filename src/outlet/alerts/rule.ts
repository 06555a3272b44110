import { createHash } from 'node:crypto';
import type { AlertDefinition, AlertSubject, AlertTarget } from '../../core/alert.ts';
import type { LogEntry } from '../../core/entry.ts';
import { asTrailError, type Fault, TrailError } from '../../core/error.ts';
import { type Expr, hasTerm, isTaskTerm, judge, knowsTask, type TaskFacts, type Term } from '../../core/expr.ts';
import type { Query } from '../../core/filter.ts';
import { ALERT_PATTERN_CHARS } from '../../core/limits.ts';
import { lineMatcher, type Matches } from '../../core/predicate.ts';

/** Reads the language of queries. Throws what is wrong and where. */
export type ReadQuery = (text: string, nowMs: number, on: AlertSubject) => Query | undefined;

/** A rule that is ready to be judged. */
export interface Rule {
  readonly id: string;
  /** It stands in the config file. */
  readonly fixed: boolean;
  readonly definition: AlertDefinition;
  readonly createdAt: string | null;
  readonly updatedAt: string | null;
  readonly query: Query;
  /** What is counted: a rule of another stamp begins to count anew. */
  readonly stamp: string;
  matchesTask(facts: TaskFacts): boolean;
  matchesLine(entry: LogEntry, facts: TaskFacts): boolean;
}

export type RuleFacts = Pick<Rule, 'id' | 'fixed' | 'definition' | 'createdAt' | 'updatedAt'>;

export interface RuleSurroundings {
  readonly readQuery: ReadQuery;
  /** As lines are masked. */
  readonly mask: (text: string) => string;
  readonly nowMs: number;
}

/** Throws `invalid_alert` that names each place that is wrong. What a shape can say is checked already. */
export function ruleOf(facts: RuleFacts, surroundings: RuleSurroundings): Rule {
  const { definition } = facts;
  const faults: Fault[] = [];
  const fault = (path: string, detail: string): void => void faults.push({ path, detail });
  definition.to.forEach((target, index) => {
    const wrong = wrongTarget(target);
    if (wrong !== null) fault(`to[${index}].webhook`, wrong);
  });
  let rule: Rule | undefined;
  try {
    const query = queryOf(definition, surroundings);
    rule = { ...facts, query, stamp: stampOf(definition), ...matchersOf(query.expr) };
  } catch (error) {
    const { errors, message } = asTrailError(error);
    fault('query', errors?.[0]?.detail ?? message);
  }
  if (rule && faults.length === 0) return rule;
  throw invalidAlert(faults);
}

export function invalidAlert(faults: readonly Fault[]): TrailError {
  const message = faults.map(({ path, detail }) => `${path}: ${detail}`).join('; ');
  return new TrailError('invalid_alert', message, { errors: faults });
}

function queryOf({ query: text, on }: AlertDefinition, { readQuery, mask, nowMs }: RuleSurroundings): Query {
  const query = readQuery(text, nowMs, on);
  if (query === undefined) throw new Error('expected what to look for, got nothing');
  if (mask(text) !== text) throw new Error('expected no secret: lines are masked before they are looked at');
  const { expr } = query;
  if (hasTerm(expr, ({ op }) => op === 'time')) {
    throw new Error('expected no after: and before:, an alert looks at what comes; its window is window_seconds');
  }
  const line = on === 'task' ? foundTerm(expr, (term) => !isTaskTerm(term)) : undefined;
  if (line) {
    throw new Error(
      `expected only what is asked of a task (task, status, kind, agent, tag, cost, dur) with "on": "task"; got ${line.op}`,
    );
  }
  return query;
}

function foundTerm(expr: Expr, like: (term: Term) => boolean): Term | undefined {
  let found: Term | undefined;
  hasTerm(expr, (term) => {
    if (!like(term)) return false;
    found = term;
    return true;
  });
  return found;
}

function wrongTarget(target: AlertTarget): string | null {
  if (!('webhook' in target)) return null;
  const url = URL.parse(target.webhook);
  if (url === null || !/^https?:$/.test(url.protocol)) return 'expected http://… or https://…';
  const named = url.username !== '' || url.password !== '';
  return named ? 'expected an address without a user and a password' : null;
}

function stampOf({ on, query, windowSeconds }: AlertDefinition): string {
  return createHash('sha256')
    .update(JSON.stringify([on, query, windowSeconds]))
    .digest('hex')
    .slice(0, 12);
}

/** Every term is compiled once: a pattern costs more to compile than to match. */
function matchersOf(expr: Expr): Pick<Rule, 'matchesTask' | 'matchesLine'> {
  const matchers = new Map<Term, Matches>();
  hasTerm(expr, (term) => {
    if (!isTaskTerm(term)) matchers.set(term, term.op === 'regex' ? atStart(lineMatcher(term)) : lineMatcher(term));
    return false;
  });
  return {
    matchesTask: (facts) => judge(expr, knowsTask(facts)) === true,
    matchesLine(entry, facts) {
      const ofTask = knowsTask(facts);
      return judge(expr, (term) => matchers.get(term)?.(entry) ?? ofTask(term)) === true;
    },
  };
}

/** A pattern takes its time for each character, and rules are judged where everything else is done too. */
function atStart(matches: Matches): Matches {
  return (line) => {
    const { message } = line;
    return matches(
      message.length > ALERT_PATTERN_CHARS ? { ...line, message: message.slice(0, ALERT_PATTERN_CHARS) } : line,
    );
  };
}
