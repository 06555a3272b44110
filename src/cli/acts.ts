/** What a person does to a task from the command line. */
export const ACTS = {
  approve: { meaning: 'let a task go on that waits for leave', status: 'approved' },
  reject: { meaning: 'refuse what a task asks leave for; it ends as rejected', status: 'rejected' },
  cancel: { meaning: 'end a task as cancelled; what runs for it is told to stop', status: 'cancelled' },
} as const;
export type Act = keyof typeof ACTS;
