import type { ComponentChildren, JSX } from 'preact';
import { DEFAULT_VIEW, printViewState, type ViewState } from '../model/view-state.js';
import { formatAge, type Tone, UNKNOWN_TEXT } from '../ui/format.js';
import { splitName } from '../ui/labels.js';
import { usePage } from './page-context.js';

/** Maximum number of characters of a text that is cut. */
const MAX_TEXT = 60;

interface BadgeProps {
  readonly tone: Tone;
  readonly title?: string | undefined;
  readonly children: ComponentChildren;
}

/** Colored label. The text is sufficient without the color. */
export function Badge({ tone, title, children }: BadgeProps): JSX.Element {
  return (
    <span class="badge" data-tone={tone} title={title}>
      {children}
    </span>
  );
}

interface FactsProps {
  /** Names and values. An entry without a value is not shown. */
  readonly entries: readonly (readonly [name: string, value: ComponentChildren])[];
}

/** List of names and values. */
export function Facts({ entries }: FactsProps): JSX.Element {
  return (
    <dl class="facts">
      {entries.map(([name, value]) =>
        value === null ? null : (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ),
      )}
    </dl>
  );
}

interface AgeProps {
  /** Point in time in RFC 3339, or in milliseconds since the epoch. Null if it is unknown. */
  readonly at: string | number | null;
}

/** Time since a point in time, which counts on. */
export function Age({ at }: AgeProps): JSX.Element {
  const { nowMs } = usePage();
  const text = formatAge(at, nowMs.value);
  const date = new Date(at ?? Number.NaN);
  if (text === UNKNOWN_TEXT || Number.isNaN(date.getTime())) return <span title="Unknown time">{UNKNOWN_TEXT}</span>;
  return (
    <time dateTime={date.toISOString()} title={date.toLocaleString()}>
      {text}
    </time>
  );
}

interface ViewLinkProps {
  /** Change of the page's state. */
  readonly change: Partial<ViewState>;
  /** Whether the link starts from the default state instead of the current one. */
  readonly isReset?: boolean;
  readonly isCurrent?: boolean;
  readonly class?: string;
  readonly title?: string | undefined;
  /** Text for screen readers, which would read the parts of a name as words. */
  readonly label?: string | undefined;
  readonly onFollow?: () => void;
  readonly children: ComponentChildren;
}

/** Link to a state of the page. Its address can be copied and opened in another tab. */
export function ViewLink(props: ViewLinkProps): JSX.Element {
  const { change, isReset = false, isCurrent = false, title, label, onFollow, children } = props;
  const page = usePage();
  const target = isReset ? { ...DEFAULT_VIEW, mode: page.view.mode, omitted: page.view.omitted, ...change } : change;
  const follow = (event: MouseEvent): void => {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    if (onFollow === undefined) page.change(target);
    else onFollow();
  };
  return (
    <a
      class={props.class}
      href={printViewState({ ...page.view, ...target })}
      aria-current={isCurrent ? 'page' : undefined}
      aria-label={label}
      title={title}
      onClick={follow}
    >
      {children}
    </a>
  );
}

interface CutTextProps {
  readonly text: string;
}

/** Text of which a narrow column cuts the middle only, because names with a common start differ at their end. */
export function CutText({ text }: CutTextProps): JSX.Element {
  const { head, tail } = splitName(text, MAX_TEXT, 0);
  return (
    <bdi class="name">
      <span class="head">{head}</span>
      <span class="tail">{tail}</span>
    </bdi>
  );
}

interface AgentNameProps {
  readonly agentId: string;
  /** Name if the agent is unknown. */
  readonly otherwise?: string;
}

/** Name of an agent that differs from the names of all others. A narrow column cuts its middle only. */
export function AgentName({ agentId, otherwise }: AgentNameProps): JSX.Element {
  const { names, agents } = usePage();
  const shown = names.value.get(agentId);
  const agent = agents.value.get(agentId);
  if (shown === undefined) return <bdi class="name">{otherwise ?? agentId}</bdi>;
  return (
    <bdi class="name" title={`${agent?.name ?? agentId}\n${agentId}`}>
      <span class="head">{shown.head}</span>
      <span class="tail">{shown.tail}</span>
      {shown.suffix !== '' && <span class="suffix">{shown.suffix}</span>}
    </bdi>
  );
}

interface AgentLinkProps {
  readonly agentId: string;
}

/** Link that selects an agent. */
export function AgentLink({ agentId }: AgentLinkProps): JSX.Element {
  const page = usePage();
  return (
    <ViewLink
      change={{ tab: 'agents', agentId }}
      class="agent-link"
      label={page.fullNameOf(agentId)}
      onFollow={() => page.show(agentId)}
    >
      <AgentName agentId={agentId} />
    </ViewLink>
  );
}

interface DotProps {
  /** CSS color. Null: the neutral color. */
  readonly color: string | null;
  readonly kind?: 'dot' | 'ring';
}

/** Colored mark. */
export function Dot({ color, kind = 'dot' }: DotProps): JSX.Element {
  const style = kind === 'dot' ? { backgroundColor: color ?? '' } : { borderColor: color ?? '' };
  return <span class={kind} style={style} aria-hidden="true" />;
}

interface MeterProps {
  /** Share, 0 to 1. Null if it is unknown. */
  readonly ratio: number | null;
  readonly label: string;
}

/** Bar that shows a share. */
export function Meter({ ratio, label }: MeterProps): JSX.Element {
  const share = Math.min(1, Math.max(0, ratio ?? 0));
  return (
    <span class="meter" title={label} data-level={share >= 0.9 ? 'full' : share >= 0.7 ? 'high' : 'normal'}>
      <span class="meter-bar" style={{ width: `${share * 100}%` }} />
    </span>
  );
}
