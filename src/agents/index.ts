import type { AgentKind } from '../core/agent.ts';
import { TrailError } from '../core/error.ts';
import { claude } from './claude/claude.ts';
import { generic } from './generic/generic.ts';

/** Everything that tasktrail understands. A new agent is one more line here. */
export const AGENTS: readonly AgentKind[] = [claude, generic];

/** The agent of this id. Throws `unknown_agent`. */
export function agentOf(id: string): AgentKind {
  const found = AGENTS.find((agent) => agent.id === id);
  if (found) return found;
  const known = AGENTS.map((agent) => agent.id).join(' or ');
  throw new TrailError('unknown_agent', `agent: expected ${known}, got "${id.slice(0, 100)}"`);
}
