import type { AgentExit } from '../core/agent.ts';

/** How the process ended, in words that go after its name. */
export function exitText({ exitCode, signal, timedOut, fault }: AgentExit): string {
  if (fault !== undefined) return fault;
  if (timedOut) return 'ended after its time limit';
  return signal === null ? `exited with code ${exitCode}` : `ended by ${signal}`;
}
