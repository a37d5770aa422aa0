{{/* What pods of operator and API service have in common: they pass the Pod Security level `restricted`. */}}

{{- define "makima.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "makima.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* Where a pod's settings come from. */}}
{{- define "makima.env" -}}
- {name: MAKIMA_CONFIG, value: /etc/makima/makima.toml}
- name: MAKIMA_DATABASE_URL
  valueFrom: {secretKeyRef: {name: {{ include "makima.database.secret" . }}, key: {{ include "makima.database.key" . }}}}
{{- end }}

{{/* Where the operator works, and which Lease its leader holds. */}}
{{- define "makima.operator.env" -}}
- {name: MAKIMA_OPERATOR__LEASE_NAME, value: {{ include "makima.operator" . }}}
- name: MAKIMA_OPERATOR__LEASE_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
- {name: MAKIMA_OPERATOR__NAMESPACES, value: {{ .Values.rbac.namespaces | toJson | quote }}}
{{- end }}

{{- define "makima.mounts" -}}
- {name: config, mountPath: /etc/makima, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- end }}

{{- define "makima.volumes" -}}
- name: config
  configMap: {name: {{ include "makima.fullname" . }}-config}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
{{- end }}

{{/* Not a hook: a hook before the install would wait for a bundled database that waits for it. */}}
{{- define "makima.migration" -}}
{{- if .Values.migrations.enabled }}
initContainers:
  - name: migrate
    image: {{ include "makima.image" . }}
    imagePullPolicy: {{ .Values.image.pullPolicy }}
    # After `helm rollback`, and for a pod that starts again while a newer release is rolled out, the schema is newer.
    args: [migrate, up, --accept-newer, --wait, {{ .Values.migrations.waitSeconds | int | quote }}]
    env: {{- include "makima.env" . | nindent 6 }}
    securityContext: {{- include "makima.containerSecurity" . | nindent 6 }}
    resources:
      requests: {cpu: 50m, memory: 128Mi}
      limits: {memory: 512Mi}
    volumeMounts: {{- include "makima.mounts" . | nindent 6 }}
{{- end }}
{{- end }}

{{/* Where pods go. Takes (list ROOT COMPONENT VALUES). */}}
{{- define "makima.scheduling" -}}
{{- $values := index . 2 -}}
topologySpreadConstraints:
{{- if $values.topologySpreadConstraints }}
  {{- toYaml $values.topologySpreadConstraints | nindent 2 }}
{{- else }}
{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "makima.selector" $ | nindent 8 }}
{{- end }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{/* Metadata of a pod; new settings start new pods. Takes (list ROOT COMPONENT VALUES). */}}
{{- define "makima.podMetadata" -}}
{{- $root := index . 0 -}}{{- $values := index . 2 -}}
annotations:
  checksum/config: {{ include "makima.config" $root | sha256sum }}
  {{- if or $root.Values.database.url $root.Values.database.existingSecret.name }}
  checksum/database: {{ printf "%s/%s" (include "makima.database.secret" $root) $root.Values.database.url | sha256sum }}
  {{- end }}
  kubectl.kubernetes.io/default-container: {{ index . 1 }}
  {{- with $values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
labels:
  {{- include "makima.labels" $root | nindent 2 }}
  app.kubernetes.io/component: {{ index . 1 }}
  {{- with $values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
