/** Names a resource as Kubernetes does: `tfjobs.kubeflow.org`, and `pods` where the group is the core one. */
export function resourceName(group: string, resource: string): string {
  return group === '' ? resource : `${resource}.${group}`;
}

/** Returns the name by which people call one: `tfjob` for `tfjobs`, as with every known kind. */
export function singularOf(resource: string): string {
  return resource.replace(/s$/, '');
}
