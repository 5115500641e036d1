export declare const LENGTH: number;
export declare function agentsJson(length?: number): string;
export declare const JSON_TEXTS: Readonly<Record<string, (length?: number) => string>>;
/** Names of responses to requests. */
export declare const RESPONSE_NAMES: readonly string[];
/** Names of all lines. */
export declare const LINE_NAMES: readonly string[];
