import { TrailError } from '../../core/error.ts';
import { PAGE_AUDIT, PAGE_AUDIT_MAX } from '../../core/limits.ts';
import type { WireAudit } from '../../core/wire-audit.ts';
import type { Config } from '../settings.ts';
import { printJson, printTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import { withTarget } from '../with-target.ts';

export interface AuditOptions {
  readonly from?: string;
  readonly to?: string;
  readonly actor?: string;
  readonly action?: string;
  readonly target?: string;
  readonly limit?: string;
  readonly all?: boolean;
  readonly json?: boolean;
}

const HEAD = ['NO', 'TIME', 'WHO', 'ACTION', 'TARGET', 'OUTCOME', 'DETAILS'];

/** Show who changed what: of the server that is there, else of the directory itself. */
export async function audit(terminal: Terminal, config: Config, options: AuditOptions): Promise<number> {
  const { from, to, actor, action, target, all = false, json = false } = options;
  const limit = all ? PAGE_AUDIT_MAX : limitOf(options.limit);
  await withTarget(terminal, config, async (place) => {
    for (let cursor: string | undefined; ; ) {
      const page = await place.audit({ from, to, actor, action, target, limit, cursor });
      if (json) await printJson(terminal, page.records);
      else if (page.records.length > 0 || cursor === undefined) {
        await printTable(terminal, HEAD, page.records.map(cells));
      }
      cursor = page.next_cursor ?? undefined;
      if (!all || cursor === undefined) return tellRest(terminal, page.dropped, cursor !== undefined);
    }
  });
  return 0;
}

function tellRest(terminal: Terminal, dropped: number, more: boolean): void {
  if (more) terminal.tell('there are more; --all shows every one');
  if (dropped > 0) terminal.tell(`${dropped} older records are not kept any more`);
}

function cells({ audit_id, at, actor, action, target, outcome, details }: WireAudit): readonly string[] {
  const who = [actor.name ?? actor.kind, actor.name === null ? null : `(${actor.kind})`, actor.address];
  const what = target.id === null ? target.type : `${target.type}:${target.id}`;
  return [
    String(audit_id),
    at.replace('T', ' ').replace(/\.\d+Z$/, 'Z'),
    who.filter((part) => part !== null).join(' '),
    action,
    what,
    outcome,
    details === null ? '' : JSON.stringify(details),
  ];
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return PAGE_AUDIT;
  const limit = Number(text);
  if (/^\d+$/.test(text) && limit >= 1 && limit <= PAGE_AUDIT_MAX) return limit;
  throw new TrailError('invalid_usage', `--limit: expected a whole number, 1–${PAGE_AUDIT_MAX}, got ${text}`);
}
