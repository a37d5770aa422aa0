{{/* The rights of one account, from the generated rules (_rules.tpl): a ClusterRole, or a Role for each namespace.
Takes root, name, account, component. */}}
{{- define "makima.rights" -}}
{{- $scope := dict "kind" "ClusterRole" "root" .root "name" .name "account" .account "component" .component -}}
{{- if .root.Values.rbac.namespaces }}
{{- range .root.Values.rbac.namespaces }}
{{- include "makima.role" (merge (dict "kind" "Role" "namespace" . "rules" (include (printf "makima.rules.%s.namespaced" $scope.component) $scope.root)) $scope) }}
{{- end }}
{{- else }}
{{- include "makima.role" (merge (dict "rules" (include (printf "makima.rules.%s" .component) .root)) $scope) }}
{{- end }}
{{- with include (printf "makima.rules.%s.home" .component) .root }}
{{- include "makima.role" (merge (dict "kind" "Role" "name" (printf "%s-home" $scope.name) "namespace" $scope.root.Release.Namespace "rules" .) $scope) }}
{{- end }}
{{- end }}

{{/* A role and its binding. Takes kind, name, namespace (of a Role), rules, and account, component, root. */}}
{{- define "makima.role" }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "makima.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
rules:
  {{- .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}Binding
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "makima.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: {{ .kind }}, name: {{ .name }}}
subjects:
  - {kind: ServiceAccount, name: {{ .account }}, namespace: {{ .root.Release.Namespace }}}
{{- end }}
