/** What an agent is asked that shall only plan. */
export function planningPrompt(request: string): string {
  return `Make a plan for the request below, and change nothing: no files, no branches, no messages to anybody.
A person reads your plan and decides whether it is carried out. Answer with the plan alone: what is to be done, where, in which order, and how it will be checked.

# Request

${request}
`;
}

/** What an agent is asked that carries out an approved plan. */
export function executingPrompt(request: string, plan: string): string {
  return `Carry out the plan below. A person has approved it as the answer to the request below; where the two differ, the plan holds.

# Request

${request}

# Approved plan

${plan}
`;
}
