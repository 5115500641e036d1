/**
 * Facts about the process of a server by which the session is found that it belongs to. The keys are hashes, equal for the same
 * process and the same directory of one machine.
 */
export interface ServerOrigin {
  /** Keys of the processes that have started the server, the nearest first. Null if the server was not started by a session. */
  readonly processKeys: readonly string[] | null;
  /** Key of the working directory. */
  readonly directoryKey: string;
}

/** Session of a coding agent that a swarm of an observer stands for. */
export interface SwarmSession {
  /** Global id of the session's own agent. */
  readonly agentId: string;
  /** Key of the running process of the session. Null if it is unknown or has ended. */
  readonly processKey: string | null;
  /** Key of the directory in which the session works. Null if it is unknown. */
  readonly directoryKey: string | null;
}
