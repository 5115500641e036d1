import { costLimitRule } from '@escape.tech/graphql-armor-cost-limit';
import { maxAliasesRule } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthRule } from '@escape.tech/graphql-armor-max-depth';
import { maxDirectivesRule } from '@escape.tech/graphql-armor-max-directives';
import {
  type DocumentNode,
  GraphQLError,
  Lexer,
  NoSchemaIntrospectionCustomRule,
  parse,
  type ParseOptions,
  Source,
  TokenKind,
  validate,
  type ValidationRule,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { LimitCounters, LimitName } from '../limits/limit-counters.js';
import type { Limits } from '../../config/index.js';
import type { SchemaContext } from '../../schema/index.js';
import type { ErrorCode } from '../../shared/index.js';
import { maxDuplicateFieldsRule } from './duplicate-fields.js';
import { introspectionAliasesRule } from './introspection-aliases.js';
import { subscriptionRootRule } from './subscription-root.js';
import { measureJsonBytes, measureJsonDepth } from '../limits/json-size.js';

/** Creates the error of an operation that exceeds a limit and does not run. */
export function limitExceededError(message: string, code: ErrorCode = 'LIMIT_EXCEEDED'): GraphQLError {
  return new GraphQLError(message, { extensions: { code } });
}

/**
 * Rejects operations that exceed a limit, over HTTP and WebSocket. Documents are checked before, during and after parsing,
 * so that large ones are rejected early. Documents with too many bytes or tokens are not cached; cached ones are checked.
 */
export function useOperationLimits(limits: Limits, counters: LimitCounters): Plugin<SchemaContext> {
  const reject = (name: LimitName, message: string, code?: ErrorCode): never => {
    counters.hit(name);
    throw limitExceededError(message, code);
  };
  const rules = createRules(limits, reject);
  const parseWithinLimit = (source: string | Source, options?: ParseOptions): DocumentNode => {
    try {
      return parse(source, { ...options, maxTokens: limits.maxDocumentTokens });
    } catch (error) {
      // graphql reports an excess of tokens as a syntax error without a code.
      if (!(error instanceof GraphQLError) || !hasMoreTokens(source, limits.maxDocumentTokens)) throw error;
      return reject('maxDocumentTokens', `The document has more than ${limits.maxDocumentTokens} tokens.`);
    }
  };
  return {
    onParse({ params, context, setParseFn }) {
      // Envelop types the source `any`, because plugins may replace the parser.
      const { maxDocumentBytes, maxVariablesBytes, maxVariablesDepth } = limits;
      if (toBytes(params.source as string | Source) > maxDocumentBytes) {
        reject('maxDocumentBytes', `The document has more than ${maxDocumentBytes} bytes.`);
      }
      const { variables } = context.params;
      if (measureJsonBytes(variables, maxVariablesBytes) > maxVariablesBytes) {
        reject('maxVariablesBytes', `The variables have more than ${maxVariablesBytes} bytes.`);
      }
      if (measureJsonDepth(variables, maxVariablesDepth) > maxVariablesDepth) {
        reject('maxVariablesDepth', `The variables are nested deeper than ${maxVariablesDepth} levels.`);
      }
      setParseFn(parseWithinLimit);
    },
    onValidate({ setValidationFn }) {
      setValidationFn((...args: Parameters<typeof validate>) => {
        const [schema, document] = args;
        // The limits run first, because the cost of graphql's own rules grows with the square of the fields.
        validate(schema, document, rules);
        if (!limits.introspection) {
          const errors = validate(schema, document, [NoSchemaIntrospectionCustomRule]);
          if (errors.length > 0) reject('introspection', 'Introspection is disabled on this server.', 'FORBIDDEN');
        }
        // graphql's own rule for the root of subscriptions throws at a condition that depends on a variable.
        const rootErrors = validate(schema, document, [subscriptionRootRule]);
        return rootErrors.length > 0 ? rootErrors : validate(...args);
      });
    },
  };
}

/** Creates validation rules that throw at the first exceeded limit. */
function createRules(limits: Limits, reject: (name: LimitName, message: string) => never): ValidationRule[] {
  const { maxDepth, maxAliases, maxDirectives, maxDuplicateFields, maxCost } = limits;
  const onExceeded = (name: LimitName, message: string): { onReject: (() => never)[] } => ({
    onReject: [() => reject(name, message)],
  });
  return [
    maxDepthRule({
      n: maxDepth,
      flattenFragments: true,
      ...onExceeded('maxDepth', `The operation is nested deeper than ${maxDepth} levels.`),
    }),
    maxAliasesRule({
      n: maxAliases,
      allowList: [],
      ...onExceeded('maxAliases', `The operation has more than ${maxAliases} aliases.`),
    }),
    maxDirectivesRule({
      n: maxDirectives,
      ...onExceeded('maxDirectives', `The operation has more than ${maxDirectives} directives.`),
    }),
    costLimitRule({
      maxCost,
      flattenFragments: true,
      ...onExceeded('maxCost', `The operation costs more than ${maxCost}. Request fewer fields at once.`),
    }),
    introspectionAliasesRule(() => reject('maxAliases', 'Introspection is allowed once and without aliases.')),
    maxDuplicateFieldsRule(maxDuplicateFields, () =>
      reject(
        'maxDuplicateFields',
        `The operation selects one field more than ${maxDuplicateFields} times at the same position.`,
      ),
    ),
  ];
}

/** Whether a document has more than `max` tokens before its first invalid character. */
function hasMoreTokens(document: string | Source, max: number): boolean {
  const lexer = new Lexer(typeof document === 'string' ? new Source(document) : document);
  try {
    for (let count = 0; count <= max; count += 1) if (lexer.advance().kind === TokenKind.EOF) return false;
    return true;
  } catch (error) {
    if (error instanceof GraphQLError) return false;
    throw error;
  }
}

function toBytes(source: string | Source): number {
  return Buffer.byteLength(typeof source === 'string' ? source : source.body);
}
