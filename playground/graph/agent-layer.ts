import type { FragmentLayer } from 'sigma/rendering';

/** Creates the shader layer of an agent: a disc colored by type inside a ring colored by status. */
export function createAgentLayer(): FragmentLayer {
  const color = { size: 4, type: WebGL2RenderingContext.UNSIGNED_BYTE, normalized: true } as const;
  return {
    name: 'agent',
    uniforms: [],
    attributes: [
      { name: 'fillColor', source: 'color', ...color },
      { name: 'ringColor', source: 'ring', ...color },
    ],
    glsl: `
vec4 layer_agent(vec4 v_fillColor, vec4 v_ringColor) {
  float depth = -context.sdf / context.shapeSize;
  float soft = context.aaWidth;
  float ring = 1.0 - smoothstep(0.2 - soft, 0.2 + soft, depth);
  float disc = smoothstep(0.32 - soft, 0.32 + soft, depth);
  vec4 clear = vec4(v_fillColor.rgb, 0.0);
  return mix(mix(clear, v_fillColor, disc), v_ringColor, ring);
}
`,
  };
}
