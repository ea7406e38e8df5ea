//! What a role may do: the one place that decides. Routes name an [`Action`]; commands of this machine's terminal are
//! the operator's and ask nobody.

use crate::domain::Role;

/// Something that a person can want to do with a creator's assistant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Counts and shares, no words of students.
    SeeOverview,
    SeeConversations,
    /// Take a conversation over, write to the student, close the ticket.
    AnswerStudents,
    SeeContent,
    ChangeContent,
    /// How the assistant is called, looks and speaks, and by which rules.
    ChangeVoice,
    /// The line to paste and the origins; no key.
    SeeWidget,
    ChangeOrigins,
    /// Keys stand for the creator: they let a program do everything.
    ManageKeys,
    /// Which models write answers, and where questions go with them.
    ChooseModels,
    /// Addresses that are told what happens, students' words among it.
    ManageWebhooks,
    /// Paths and sizes of this machine.
    SeeData,
    /// For how long what students say is kept, what they are told of it, and that one of them is forgotten.
    ManagePrivacy,
    SeeTeam,
    ManageTeam,
    SeeRecord,
    /// What concerns the whole server: its log, its models, a backup of everything. An owner may who owns every assistant
    /// on it; that is looked at where all of them are known.
    RunServer,
    /// What is paid, and buying more.
    ManageBilling,
}

/// Whether a role may do it.
pub fn may(role: Role, action: Action) -> bool {
    use Action::*;
    let least = match action {
        SeeOverview | SeeConversations | AnswerStudents | SeeContent => Role::Agent,
        ChangeContent | ChangeVoice | SeeWidget | SeeTeam => Role::Editor,
        ChangeOrigins | ManageKeys | ChooseModels | ManageWebhooks | SeeData | ManagePrivacy | ManageTeam
        | SeeRecord | RunServer | ManageBilling => Role::Owner,
    };
    role >= least
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_do_what_the_ones_below_it_may() {
        let check = |action, owner, editor, agent| {
            let allowed = [Role::Owner, Role::Editor, Role::Agent].map(|role| may(role, action));
            assert_eq!(allowed, [owner, editor, agent], "{action:?}");
        };
        check(Action::SeeOverview, true, true, true);
        check(Action::SeeConversations, true, true, true);
        check(Action::AnswerStudents, true, true, true);
        check(Action::SeeContent, true, true, true);
        check(Action::ChangeContent, true, true, false);
        check(Action::ChangeVoice, true, true, false);
        check(Action::SeeWidget, true, true, false);
        check(Action::SeeTeam, true, true, false);
        check(Action::ChangeOrigins, true, false, false);
        check(Action::ManageKeys, true, false, false);
        check(Action::ChooseModels, true, false, false);
        check(Action::ManageWebhooks, true, false, false);
        check(Action::SeeData, true, false, false);
        check(Action::ManagePrivacy, true, false, false);
        check(Action::ManageTeam, true, false, false);
        check(Action::SeeRecord, true, false, false);
        check(Action::RunServer, true, false, false);
        check(Action::ManageBilling, true, false, false);
    }
}
