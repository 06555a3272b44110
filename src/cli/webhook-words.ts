import type { WireReceived } from '../core/wire-webhook.ts';
import { safeText, type Terminal } from './terminal.ts';

/** What a server answered to a delivery. */
export interface Received {
  readonly status: number;
  readonly text: string;
}

interface Asked {
  readonly json: boolean | undefined;
  /** Where a person reaches the server. */
  readonly base: string;
  /** Where a secret comes from here. */
  readonly hint: string;
}

/** Print what became of a delivery. Answers the exit code. */
export async function tellReceived(terminal: Terminal, { status, text }: Received, asked: Asked): Promise<number> {
  const ok = status >= 200 && status < 300;
  const told = answerOf(text);
  if (asked.json) await terminal.print(`${text.trimEnd()}\n`);
  else if (ok) await terminal.print(`${receivedLine(told, asked.base)}\n`);
  if (!ok) terminal.tell(`the server answered ${status}: ${refusal(told, status, asked.hint)}`);
  return ok ? 0 : 1;
}

/** `started task-…  LINK`, `ignored: no_command …`. */
export function receivedLine(told: WireReceived & { readonly challenge?: unknown }, base: string): string {
  const { status, reason, detail, task_id: taskId } = told;
  const link =
    typeof taskId === 'string' ? `${safe(taskId)}  ${base.replace(/\/$/, '')}/t/${encodeURIComponent(taskId)}` : '';
  if (status === 'duplicate') return `duplicate: it came before${link && `, as ${link}`}`;
  if (status === 'ignored')
    return ['ignored:', reason ?? '', detail ? `(${detail})` : ''].map(safe).join(' ').trimEnd();
  if (status === undefined && link) return `started ${link}`;
  if (told.challenge !== undefined) return 'answered: the challenge was sent back';
  return [safe(status ?? 'received'), reason ? safe(reason) : '', link].filter((part) => part !== '').join(' ');
}

function refusal({ code, detail, title }: Told, status: number, hint: string): string {
  const said = [code, detail ?? title].filter((part) => typeof part === 'string').map((part) => safe(String(part)));
  const help =
    status === 401
      ? `; is the secret the server's? check ${hint}`
      : status === 503
        ? `; the server needs ${hint.split(' or ')[0]}`
        : '';
  return `${said.join(', ') || 'nothing that is understood'}${help}`;
}

type Told = WireReceived & { readonly challenge?: unknown; readonly code?: unknown; readonly title?: unknown };

function answerOf(text: string): Told {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

function safe(text: string): string {
  return safeText(text, { colour: false });
}
