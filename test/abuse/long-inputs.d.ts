export declare const LENGTH: number;
export declare function agentsJson(length?: number): string;
export declare const JSON_TEXTS: Readonly<Record<string, (length?: number) => string>>;
/** Names of responses to requests. */
export declare const RESPONSE_NAMES: readonly string[];
/** Names of all lines. */
export declare const LINE_NAMES: readonly string[];
/** Names of operations of a client. */
export declare const OPERATION_NAMES: readonly string[];
/** Names of observed calls of a tap. */
export declare const OBSERVED_CALL_NAMES: readonly string[];
/** Names of messages of a node. */
export declare const BUS_MESSAGE_NAMES: readonly string[];
