import type { Sigma } from 'sigma';
import { oklch } from './colors.js';
import type { Theme } from './agent-style.js';
import { convexHull, type Point } from './convex-hull.js';
import type { GraphModel } from './graph-model.js';
import { groupHue } from './group-hue.js';

const MARGIN = 22;
/** Distance between a name and the border of the canvas, in pixels. */
const BORDER = 6;
/** Number of agents above which outlines are updated only once per interval. */
const MANY_AGENTS = 2_000;
const OUTLINE_INTERVAL_MS = 250;

interface Group {
  readonly hull: readonly Point[];
  readonly hue: number;
}

/** Draws outlines and names of groups behind their agents. */
export class GroupCanvas {
  readonly #sigma: Sigma;
  readonly #canvas: HTMLCanvasElement;
  readonly #theme: Theme;
  readonly #model: GraphModel;
  #groups: ReadonlyMap<string, Group> = new Map();
  #outlinedAtMs = Number.NEGATIVE_INFINITY;
  /** Returns the labels of a group, longest first. */
  getLabels: (groupId: string) => readonly string[] = (groupId) => [groupId];

  constructor(sigma: Sigma, model: GraphModel, theme: Theme) {
    this.#sigma = sigma;
    this.#model = model;
    this.#theme = theme;
    this.#canvas = sigma.createCanvas('groups', { beforeLayer: 'stage', style: { inset: '0', pointerEvents: 'none' } });
    sigma.on('afterRender', () => this.#draw());
  }

  /**
   * Updates the outlines, because agents have moved.
   *
   * @param isFinal whether the agents have stopped
   */
  outline(nowMs: number, isFinal: boolean): void {
    const { nodes } = this.#model;
    if (!isFinal && nodes.size > MANY_AGENTS && nowMs - this.#outlinedAtMs < OUTLINE_INTERVAL_MS) return;
    this.#outlinedAtMs = nowMs;
    const members = new Map<string, Point[]>();
    for (const { group, attributes, isLeaving } of nodes.values()) {
      if (isLeaving) continue;
      const points = members.get(group);
      if (points === undefined) members.set(group, [attributes]);
      else points.push(attributes);
    }
    this.#groups = new Map(
      [...members].map(([id, points]) => [
        id,
        { hull: convexHull(points).map(({ x, y }) => ({ x, y })), hue: groupHue(id) },
      ]),
    );
  }

  #draw(): void {
    const context = this.#canvas.getContext('2d');
    if (context === null) return;
    const { width, height } = this.#sigma.getDimensions();
    const scale = window.devicePixelRatio;
    if (this.#canvas.width !== Math.round(width * scale) || this.#canvas.height !== Math.round(height * scale)) {
      this.#canvas.width = Math.round(width * scale);
      this.#canvas.height = Math.round(height * scale);
      this.#canvas.style.width = `${width}px`;
      this.#canvas.style.height = `${height}px`;
    }
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = '600 12px system-ui, sans-serif';
    context.textAlign = 'center';
    context.lineWidth = 1.25;
    const shapes = [...this.#groups].map(([id, { hull, hue }]) => ({ id, hue, ...this.#toScreen(hull) }));
    for (const { corners, radius, hue } of shapes) {
      const color = oklch(this.#theme === 'dark' ? 0.72 : 0.55, 0.1, hue);
      trace(context, corners, radius);
      context.fillStyle = `${color}${this.#theme === 'dark' ? '16' : '14'}`;
      context.fill();
      context.strokeStyle = `${color}66`;
      context.stroke();
    }
    for (const { id, corners, radius, hue } of shapes) this.#drawName(context, id, corners, radius, hue);
  }

  #toScreen(hull: readonly Point[]): { corners: readonly Point[]; radius: number } {
    const corners = hull.map((point) => this.#sigma.graphToViewport(point));
    return { corners, radius: Math.max(8, MARGIN / this.#sigma.getCamera().ratio) };
  }

  #drawName(
    context: CanvasRenderingContext2D,
    id: string,
    corners: readonly Point[],
    radius: number,
    hue: number,
  ): void {
    const xs = corners.map(({ x }) => x);
    const left = Math.min(...xs) - radius;
    const right = Math.max(...xs) + radius;
    const top = Math.min(...corners.map(({ y }) => y)) - radius;
    // A name much wider than its group would cover other groups.
    const text = this.getLabels(id).find((name) => context.measureText(name).width < (right - left) * 1.3 + 30);
    if (text === undefined) return;
    context.fillStyle = oklch(this.#theme === 'dark' ? 0.83 : 0.42, 0.08, hue);
    const half = context.measureText(text).width / 2 + BORDER;
    const middle = Math.max(half, Math.min(this.#sigma.getDimensions().width - half, (left + right) / 2));
    context.fillText(text, middle, top - 7);
  }
}

/** Traces a rounded shape at this distance around the corners, which are clockwise on the screen. */
function trace(context: CanvasRenderingContext2D, corners: readonly Point[], radius: number): void {
  context.beginPath();
  if (corners.length === 1) {
    for (const { x, y } of corners) context.arc(x, y, radius, 0, 2 * Math.PI);
    return;
  }
  corners.forEach((corner, index) => {
    const before = corners.at(index - 1) ?? corner;
    const after = corners[(index + 1) % corners.length] ?? corner;
    context.arc(corner.x, corner.y, radius, outwardAngle(before, corner), outwardAngle(corner, after), true);
  });
  context.closePath();
}

/** Returns the angle that points away from the shape, perpendicular to the side from `a` to `b`. */
function outwardAngle(a: Point, b: Point): number {
  return Math.atan2(b.y - a.y, b.x - a.x) + Math.PI / 2;
}
